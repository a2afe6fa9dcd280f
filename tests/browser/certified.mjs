// A browser with an operator's certificate is let in, and one without is not.
import assert from "node:assert/strict";
import { launched, picture } from "./browser.mjs";

const { VIEWER, PORTAL, CERT, KEY } = process.env;
const browser = await launched();
// Its CA is of this test alone, and no browser knows it.
const options = { ignoreHTTPSErrors: true };
const own = [{ origin: VIEWER, certPath: CERT, keyPath: KEY }];

const context = await browser.newContext({ ...options, clientCertificates: own });
const page = await context.newPage();
await page.goto(`${VIEWER}/audit?portal=${PORTAL}`);
assert.ok(await page.getByText("operator/ann").first().isVisible());
assert.ok((await page.locator("tbody tr").count()) >= 4);
await picture(page, "certified");

const stranger = await (await browser.newContext(options)).newPage();
await assert.rejects(stranger.goto(`${VIEWER}/audit`), "no page without a certificate");
await browser.close();
