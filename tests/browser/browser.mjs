// A browser with a new, empty profile, which speaks to nobody by itself; and what goes wrong in its pages.
import fs from "node:fs";
import readline from "node:readline";
import { chromium } from "playwright-core";

const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
const { CHROMIUM, PICTURES, VIEWER } = process.env;

export const launched = (more = []) =>
  chromium.launch({ executablePath: CHROMIUM, headless: true, args: [...QUIET, ...more] });

// A page, and all that its browser complains of: errors, violations of its policy, dialogs, requests to anybody else.
export const opened = async (more = []) => {
  const browser = await launched(more);
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(VIEWER)) complaints.push(`asked elsewhere: ${request.url()}`);
  });
  return { browser, page, complaints };
};

export const picture = async (page, name) => {
  fs.mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
};

const lines = readline.createInterface({ input: process.stdin });
process.stdin.unref();

// Says a word, and goes on when it is answered.
export const said = (word) =>
  new Promise((done) => {
    lines.once("line", done);
    process.stdout.write(`${word}\n`);
  });
