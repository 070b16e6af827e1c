const express = require("express");

const KLARNA = process.env.KLARNA_URL || "http://127.0.0.1:8080";
const AUTHORIZATION = `Basic ${Buffer.from("K123:secret").toString("base64")}`;
const app = express();

app.post("/klarna/place-order", express.json(), async (request, response) => {
  const url = `${KLARNA}/instantshopping/v1/authorizations/${request.body.authorization_token}/orders`;
  const headers = { Authorization: AUTHORIZATION, "Content-Type": "application/json" };
  const placed = await fetch(url, { method: "POST", headers, body: JSON.stringify(request.body.order) });
  console.log("placed", (await placed.json()).order_id);
  response.end();
});

app.listen(process.env.PORT || 3000);
