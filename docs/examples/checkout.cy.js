// The dialog is a frame of another origin: set `chromeWebSecurity: false` in cypress.config.js.
const SHOP = "http://localhost:3000";

function dialog() {
  return cy
    .get("iframe[name=klarna-instant-shopping-fullscreen]")
    .its("0.contentDocument.body")
    .should("not.be.empty")
    .then((body) => cy.wrap(body));
}

describe("the button of the product page", () => {
  it("sells", () => {
    cy.visit(SHOP);
    cy.get("klarna-instant-shopping button").first().click();
    dialog().contains("button", "Fill in").click();
    dialog().find("input[type=email]").should("not.have.value", "");
    dialog().contains("button", "Continue").click();
    dialog().find("#checkout-button").click();
    dialog().find("#confirmation__bottom").click();
    cy.contains("h1", "Thank you").should("be.visible");
  });
});
