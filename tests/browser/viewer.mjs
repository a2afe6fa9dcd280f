// Leads a browser as an operator would go: filter, follow, open a call, read its proof. Ends with 1 and what is wrong.
import assert from "node:assert/strict";
import { opened, picture, said } from "./browser.mjs";

const { VIEWER, PORTAL, OTHER } = process.env;
const { page, browser, complaints } = await opened();

await page.goto(`${VIEWER}/`);
assert.match(page.url(), /\/audit$/);
assert.ok(await page.getByText("<script>alert(1)</script>").first().isVisible(), "what strangers wrote is text");
await picture(page, "everything");

// Everything that is typed into has a name, and every column a head.
const nameless = await page.evaluate(() =>
  [...document.querySelectorAll("input, select")].filter((field) => field.labels.length === 0).map((field) => field.name));
assert.deepEqual(nameless, []);
assert.equal(await page.locator("thead th[scope=col]").count(), 9);

await page.getByLabel("Portal", { exact: true }).fill(PORTAL);
await page.getByLabel("OUTCOME").check();
await page.getByRole("button", { name: "Show" }).click();
const portals = () => page.locator("tbody td.portal").allTextContents();
assert.ok((await portals()).length >= 4);
assert.ok((await portals()).every((slug) => slug === PORTAL), "only this portal");
assert.equal(await page.getByLabel("Portal", { exact: true }).inputValue(), PORTAL, "the form keeps what was asked");
const before = (await portals()).length;

await page.getByRole("button", { name: "Follow live" }).click();
await page.locator("#follow-status", { hasText: "Following" }).waitFor();
await said("following");
await page.locator("tr.fresh").nth(1).waitFor();
await picture(page, "followed");
assert.equal(await page.locator("tr.fresh").count(), 2, "each call once");
assert.equal((await portals()).length, before + 2);
assert.ok((await portals()).every((slug) => slug === PORTAL), "the stream has the filter of the page");
assert.ok(!(await page.content()).includes(OTHER));
assert.ok(await page.getByText("Following · 2 new entries").isVisible());
await page.getByRole("button", { name: "Stop following" }).click();

const fresh = page.locator("tr.fresh", { hasText: "nightly-sync" });
await fresh.getByRole("link").click();
assert.match(page.url(), /\/audit\/calls\//);
const verdict = page.locator("#verdict");
for (let tries = 0; !(await verdict.textContent()).startsWith("Verified"); tries += 1) {
  assert.ok(tries < 60, await verdict.textContent());
  if (tries === 0) await picture(page, "not-covered");
  await new Promise((done) => setTimeout(done, 500));
  await page.reload();
}
assert.equal(await page.locator("article.entry").count(), 2, "intent and outcome");
await page.locator("details.proof summary").last().click();
for (const part of ["Leaf hash", "Inclusion proof", "Root", "Checkpoint"]) {
  assert.ok(await page.locator("details.proof[open]").getByText(part, { exact: true }).isVisible(), part);
}
assert.ok(await page.getByText("hubkeep audit verify evidence").isVisible());
await picture(page, "call");

await page.emulateMedia({ colorScheme: "dark" });
await picture(page, "call-dark");
await page.goto(`${VIEWER}/audit?severity=MEDIUM`);
await picture(page, "list-dark");
await page.emulateMedia({ colorScheme: "light" });
await page.setViewportSize({ width: 420, height: 900 });
await picture(page, "narrow");
const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
assert.ok(!wide, "a narrow window needs no scrolling sideways");
await page.emulateMedia({ media: "print" });
await picture(page, "print");
assert.deepEqual(complaints, []);

// What is wrong is a page as well; that it is one the browser says, too.
await page.emulateMedia({ media: "screen" });
await page.setViewportSize({ width: 1280, height: 900 });
await page.goto(`${VIEWER}/audit?from=yesterday&phase=LATE&portal=Not+A+Slug`);
assert.ok(await page.getByRole("heading", { name: "That cannot be asked" }).isVisible());
await picture(page, "faults");
assert.ok(complaints.every((text) => text.includes("400")), complaints.join("\n"));

// Without scripts all is there but what needs one.
const bare = await browser.newPage({ javaScriptEnabled: false });
await bare.goto(`${VIEWER}/audit?portal=${PORTAL}`);
assert.ok((await bare.locator("tbody tr").count()) >= 4);
assert.ok(!(await bare.locator("#follow").isVisible()));
await bare.locator("tbody a").first().click();
assert.match(bare.url(), /\/audit\/calls\//);
await browser.close();
