import { expect, test } from "@playwright/test";

const SHOP = process.env.SHOP_URL || "http://localhost:3000";

test("a shopper buys with the button of the product page", async ({ page }) => {
  await page.goto(SHOP);
  await page.locator("klarna-instant-shopping button").first().click();
  const dialog = page.frameLocator("iframe[name=klarna-instant-shopping-fullscreen]");
  await dialog.getByRole("button", { name: "Fill in" }).click();
  await expect(dialog.getByLabel("E-mail")).not.toHaveValue("");
  await dialog.getByRole("button", { name: "Continue" }).click();
  await dialog.locator("#checkout-button").click();
  await dialog.locator("#confirmation__bottom").click();
  await expect(page.getByRole("heading", { name: "Thank you" })).toBeVisible();
});
