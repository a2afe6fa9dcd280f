// Another site in the same browser tries to read the viewer: by asking it, by framing it, by another name for its address.
import assert from "node:assert/strict";
import http from "node:http";
import { opened } from "./browser.mjs";

const { VIEWER, PORTAL } = process.env;
const port = new URL(VIEWER).port;
const { page, browser } = await opened(["--host-resolver-rules=MAP evil.example 127.0.0.1"]);

await page.goto(`${VIEWER}/audit`);
assert.ok((await page.content()).includes(PORTAL));

const evil = http.createServer((_, answer) => {
  answer.setHeader("content-type", "text/html");
  answer.end(`<iframe src="${VIEWER}/audit"></iframe><a href="${VIEWER}/audit">look</a><script>
    const read = (options) => fetch("${VIEWER}/audit", options).then((answer) => answer.text(), () => "");
    window.tried = Promise.all([read({}), read({ mode: "no-cors", credentials: "include" })]);
  </script>`);
});
await new Promise((done) => evil.listen(0, "127.0.0.1", done));

for (const host of ["127.0.0.1", "evil.example"]) {
  const visit = await browser.newPage();
  const answers = [];
  visit.on("response", (answer) => {
    if (answer.url().startsWith(`${VIEWER}/audit`)) answers.push(answer.status());
  });
  await visit.goto(`http://${host}:${evil.address().port}/`);
  assert.deepEqual(await visit.evaluate(() => window.tried), ["", ""], host);
  await visit.getByRole("link", { name: "look" }).click();
  assert.ok(!(await visit.content()).includes(PORTAL), "who was led there is shown nothing");
  assert.ok(await visit.getByText("Led here by another site").isVisible());
  assert.ok(answers.length >= 1 && answers.every((status) => status === 403), `${host}: ${answers}`);
  await visit.close();
}

// The same address by a name that somebody else gave it.
const rebound = await browser.newPage();
const answer = await rebound.goto(`http://evil.example:${port}/audit`);
assert.equal(answer.status(), 403);
assert.ok(!(await rebound.content()).includes(PORTAL));
evil.close();
await browser.close();
