// Drives charfinder's page in a real browser: typing, reading the table, turning pages, keyboard, phone, dark, escaping.
//
//   node charfinder.mjs --server PATH [--chromium PATH] [--shots FOLDER]
//
// Starts the server itself, on ports that the system chooses, and ends it with Ctrl-C, which has to give exit code 0. Exits
// with 0 if all that is checked here holds.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values: options } = parseArgs({
  options: {
    server: { type: "string" },
    chromium: { type: "string", default: "/usr/bin/chromium" },
    shots: { type: "string", default: "shots" },
  },
});
assert(options.server, "--server says where the charfinder binary is");

const DESKTOP = { width: 1100, height: 820 };
const PHONE = { width: 360, height: 740 };
const NARROWEST = { width: 320, height: 640 };

/** Starts the server; gives the page's address and a way to end it. */
async function serve() {
  const child = spawn(options.server, ["--port", "0", "--http-port", "0"], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  const lines = createInterface({ input: child.stderr });
  const address = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error("the server ended before it served")));
    lines.on("line", (line) => {
      const found = line.match(/^The page is at (http:\S+)$/);
      if (found) resolve(found[1]);
    });
  });
  return { address, child, ended };
}

/** One way of looking at the page: its own cookies, size and colours; complaints of the browser are collected. */
async function look(browser, viewport, colorScheme = "light") {
  const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: viewport === DESKTOP ? 1 : 2 });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(server.address).origin) complaints.push(`asked ${request.url()}`);
  });
  return { page, complaints };
}

const shot = (page, name) => page.screenshot({ path: join(options.shots, `${name}.png`) });
const focused = (page) => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id);
const rows = (page) => page.locator("tbody tr");
const cells = (page, row) => rows(page).nth(row).locator("td").allTextContents();
const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

const checks = {
  async "a query is typed, and the table read, without touching the mouse"(browser) {
    const { page, complaints } = await look(browser, DESKTOP);
    await page.goto(server.address);
    await shot(page, "welcome");
    assert.equal(await focused(page), "query");
    await page.keyboard.type("chess black");
    await Promise.all([page.waitForURL(/query=chess\+black/), page.keyboard.press("Enter")]);
    assert.deepEqual(await cells(page, 0), ["U+265A", "♚", "BLACK CHESS KING"]);
    const count = await rows(page).count();
    assert.equal(await page.getByRole("status").textContent(), `${count} matches for 'chess black'`);
    assert.equal(await page.title(), "chess black – charfinder");
    assert.equal(await page.getByLabel("Words of the name").inputValue(), "chess black");
    assert.deepEqual(await page.getByRole("columnheader").allTextContents(), ["Code point", "Character", "Name"]);
    assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
    await shot(page, "desktop");
    return complaints;
  },

  async "pages are turned by click and by key, and say where one is"(browser) {
    const { page, complaints } = await look(browser, DESKTOP);
    await page.goto(`${server.address}?query=cjk`);
    assert.equal(await rows(page).count(), 200);
    const first = await cells(page, 0);
    await Promise.all([page.waitForURL(/page=2/), page.getByRole("link", { name: "Next" }).first().click()]);
    assert.notDeepEqual(await cells(page, 0), first);
    assert.match(await page.getByRole("status").textContent(), /matches for 'cjk', 201 to 400 shown/);
    assert.deepEqual(await page.locator("[aria-current=page]").allInnerTexts(), ["2", "2"]);
    await shot(page, "pages");
    // The field has no focus here, so that the first key moves on from the top.
    const seen = [];
    while (seen.at(-1) !== "Previous" && seen.length < 20) {
      await page.keyboard.press("Tab");
      seen.push(await focused(page));
    }
    assert.deepEqual(seen, ["charfinder", "query", "Find", "Previous"]);
    await Promise.all([page.waitForURL(/page=1$/), page.keyboard.press("Enter")]);
    assert.deepEqual(await cells(page, 0), first);
    return complaints;
  },

  async "a phone shows all of it without scrolling sideways"(browser) {
    const { page, complaints } = await look(browser, PHONE);
    for (const size of [PHONE, NARROWEST]) {
      await page.setViewportSize(size);
      for (const words of ["", "chess black", "letter with", "arabic ligature", "cuneiform", "cjk", "x".repeat(400)]) {
        await page.goto(`${server.address}?query=${encodeURIComponent(words)}`);
        assert.equal(await sideways(page), 0, `${size.width} px, ${words}`);
      }
    }
    await page.setViewportSize(PHONE);
    await page.goto(`${server.address}?query=chess+black`);
    const button = await page.getByRole("button", { name: "Find" }).boundingBox();
    assert(button.height >= 44 && button.width >= 44, "a finger hits the button");
    await shot(page, "phone");
    await page.goto(`${server.address}?query=letter&page=3`);
    assert.match(await page.locator("[aria-current=page]").first().innerText(), /^3 of \d+$/);
    await shot(page, "phone-pages");
    return complaints;
  },

  async "the dark is dark"(browser) {
    const { page, complaints } = await look(browser, DESKTOP, "dark");
    await page.goto(`${server.address}?query=musical+symbol`);
    const [paper, ink] = await page.evaluate(() => {
      const style = getComputedStyle(document.body);
      return [style.backgroundColor, style.color].map((colour) => colour.match(/\d+/g).map(Number)[0]);
    });
    assert(paper < 40 && ink > 200, `${paper} and ${ink}`);
    await shot(page, "dark");
    const phone = await look(browser, PHONE, "dark");
    await phone.page.goto(server.address);
    await shot(phone.page, "phone-dark");
    return [...complaints, ...phone.complaints];
  },

  async "what is typed is text and never markup"(browser) {
    const { page, complaints } = await look(browser, DESKTOP);
    await page.goto(server.address);
    const nasty = `"><script>alert(1)</script><img src=x onerror=alert(2)>`;
    await page.getByLabel("Words of the name").fill(nasty);
    await Promise.all([page.waitForURL(/query=/), page.getByRole("button", { name: "Find" }).click()]);
    assert.equal(await page.getByLabel("Words of the name").inputValue(), nasty);
    assert.equal(await page.locator("script, img").count(), 0);
    assert.match(await page.getByRole("status").textContent(), /^No match for/);
    await shot(page, "no-match");
    return complaints;
  },

  async "a page that is not there has a way on"(browser) {
    const { page } = await look(browser, DESKTOP);
    const answer = await page.goto(`${server.address}nowhere`);
    assert.equal(answer.status(), 404);
    await shot(page, "not-found");
    await Promise.all([page.waitForURL(/query=/), page.getByRole("link", { name: "snowman" }).click()]);
    assert.equal(await rows(page).count(), 3);
    return [];
  },
};

await mkdir(options.shots, { recursive: true });
const server = await serve();
let failed = 0;
try {
  const browser = await chromium.launch({
    executablePath: options.chromium,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  for (const [name, check] of Object.entries(checks)) {
    try {
      assert.deepEqual(await check(browser), [], "what the browser complains of");
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack}`);
    }
  }
  await browser.close();
} finally {
  server.child.kill("SIGINT");
}
const code = await server.ended;
if (code !== 0) failed += 1;
console.log(`${code === 0 ? "ok      " : "FAILED  "}Ctrl-C ends the server with 0${code === 0 ? "" : `: ${code}`}`);
console.log(`${failed} failed; the screenshots are in ${options.shots}`);
process.exitCode = failed === 0 ? 0 : 1;
