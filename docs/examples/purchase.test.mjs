import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

const HEADERS = { Authorization: `Basic ${btoa("K123:secret")}`, "Content-Type": "application/json" };
const send = async (path, body) =>
  (await fetch(`${klarna}${path}`, { method: "POST", headers: HEADERS, body: JSON.stringify(body) })).json();
let emulator, klarna, shop;

before(async () => {
  emulator = spawn("mock-klarna", ["serve", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const ready = /ready at (\S+)/;
  klarna = await new Promise((found) => emulator.stdout.on("data", (text) => ready.test(text) && found(ready.exec(text)[1])));
  shop = createServer(async (request, response) => {
    const { authorization_token: token, order } = JSON.parse(await new Response(request).text());
    const placed = await send(`/instantshopping/v1/authorizations/${token}/orders`, order);
    response.writeHead(placed.order_id ? 200 : 502).end();
  });
  await new Promise((listening) => shop.listen(0, "127.0.0.1", listening));
});

after(() => {
  shop.close();
  emulator.kill();
});

test("the shop places the order", async () => {
  const url = `http://127.0.0.1:${shop.address().port}`;
  const merchant_urls = { place_order: `${url}/klarna/place-order`, terms: `${url}/terms` };
  await send("/instantshopping/v1/buttons", { merchant_urls });
  const purchase = await send("/_mock/purchases", { cart: "se-battery-pack", shopper: "se-approved", wait: 60 });
  assert.equal(purchase.state, "placed", JSON.stringify(purchase));
});
