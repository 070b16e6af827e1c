// What the shop sells, as the page sends it to Klarna. Prices are in öre, tax included.
const COLOURS = { B: "Black", W: "White", G: "Green" };
const SIZES = { S: { name: "10,000 mAh", price: 119000 }, L: { name: "20,000 mAh", price: 149000 } };
const SHIRT_COLOURS = { red: "Red", blue: "Blue" };
const SHIRT_SIZES = { s: "S", m: "M", l: "L" };
const TAX_RATE = 2500;

const SHIPPING = [
  { id: "postal", name: "By post", description: "3-5 days", price: 0, tax_amount: 0, tax_rate: TAX_RATE, shipping_method: "Postal" },
  {
    id: "express_priority",
    name: "Express 1-2 days",
    description: "Delivery by 4:30pm",
    price: 5000,
    tax_amount: 1000,
    tax_rate: TAX_RATE,
    shipping_method: "Home",
  },
];

/** @param {number} price tax included */
function taxIn(price) {
  return Math.round(price - (price * 10000) / (10000 + TAX_RATE));
}

/** @param {string} name with the colour as the fragment */
function picture(name) {
  return `${location.origin}/static/${name}`;
}

/** @param {string} product where it is on the page */
function page(product) {
  return `${location.origin}/#${product}`;
}

/**
 * @param {"B" | "W" | "G"} colour
 * @param {"S" | "L"} size
 */
function batteryLine(colour, size) {
  const { name, price } = SIZES[size];
  return {
    type: "physical",
    reference: size === "S" ? `19-402-${colour}` : `19-404-${colour}`,
    name: `Battery Power Pack ${COLOURS[colour]}, ${name}`,
    product_url: page("pack"),
    image_url: picture(`battery.svg#${colour}`),
    quantity: 1,
    unit_price: price,
    tax_rate: TAX_RATE,
    total_amount: price,
    total_discount_amount: 0,
    total_tax_amount: taxIn(price),
  };
}

function shirtItems() {
  return Object.entries(SHIRT_COLOURS).flatMap(([clr, colour]) => Object.entries(SHIRT_SIZES).map(([sz, size]) => shirtItem(clr, colour, sz, size)));
}

/**
 * @param {string} clr
 * @param {string} colour
 * @param {string} sz
 * @param {string} size
 */
function shirtItem(clr, colour, sz, size) {
  return {
    type: "physical",
    reference: `TS-${clr}-${sz}`,
    group_identifier: "t-shirt",
    name: `T-shirt ${colour}, ${size}`,
    product_url: page("shirt"),
    image_url: picture(`shirt.svg#${clr}`),
    unit_price: 19900,
    tax_rate: TAX_RATE,
    total_amount: 19900,
    total_tax_amount: taxIn(19900),
    product_attributes: [
      { identifier: "clr", identifier_label: "Colour", value: clr, value_label: colour },
      { identifier: "size", identifier_label: "Size", value: sz, value_label: size },
    ],
  };
}
