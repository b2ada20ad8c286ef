// Drives pages of curvebook's in a headless Chromium, and fails on what a reader would trip over.
//
//     node tests/browser/check.mjs NODE_MODULES PAGE.html... [--screenshots DIR]
//
// Each page is opened from its file, wide and as narrow as a phone, light and dark: no error on the
// console, no request but for the file itself, nothing wider than the window, nothing serious found
// by axe-core. Then its filter, its tables, its plots and its files are used.
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import assert from "node:assert/strict";

const [modules, ...rest] = process.argv.slice(2);
const at = rest.indexOf("--screenshots");
const screenshots = at < 0 ? null : rest.splice(at, 2)[1];
const require = createRequire(path.join(path.resolve(modules), "x.js"));
const { chromium } = require("playwright-core");
const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
/** A click is answered within so many milliseconds. */
const CLICK_MS = 200;

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
args.push("--disable-background-networking", "--disable-component-update", "--disable-sync");
const browser = await chromium.launch({ executablePath, args });

/** Opens a page and says what went wrong while it was open. */
async function open(file, options) {
  const context = await browser.newContext({ acceptDownloads: true, ...options });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const url = pathToFileURL(path.resolve(file)).href;
  page.on("request", (request) => {
    const known = [url, "blob:", "data:"].some((begin) => request.url().startsWith(begin));
    if (!known) faults.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  return { page, faults, close: () => context.close() };
}

async function accessible(page, where) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const serious = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
  const words = serious.map((v) => `${v.id}: ${v.help}: ${v.nodes[0].html.slice(0, 200)}`);
  assert.deepEqual(words, [], `axe-core, ${where}`);
}

/** Nothing is NaN or undefined, neither in words nor in a drawing. */
async function numbers(page) {
  const odd = await page.evaluate(() => {
    const words = document.querySelector("main").innerText.match(/\b(NaN|undefined|null)\b/g) ?? [];
    const drawn = [...document.querySelectorAll("figure svg *")].flatMap((element) =>
      [...element.attributes].filter((a) => /NaN|Infinity|undefined/.test(a.value)),
    );
    return [...words, ...drawn.map((a) => `${a.name}=${a.value}`)];
  });
  assert.deepEqual(odd, [], "numbers that are none");
}

/** Whether a plot has anything in it. */
async function drawn(page) {
  const empty = await page.evaluate(() =>
    [...document.querySelectorAll("figure.plot")]
      .filter((f) => f.querySelectorAll("svg polyline, svg rect, svg circle, svg path").length < 1)
      .map((f) => f.id),
  );
  assert.deepEqual(empty, [], "empty plots");
  const names = await page.evaluate(() =>
    [...document.querySelectorAll("svg[role=img]")].map((s) => s.getAttribute("aria-label")),
  );
  assert.ok(
    names.every((name) => name && name.length > 20),
    "every plot has words instead",
  );
}

/** The time from a click to what it shows, in milliseconds: the best of three, on a busy machine. */
async function timed(page, click) {
  const took = [];
  for (let k = 0; k < 3; k += 1) took.push(await once(page, click));
  return Math.min(...took);
}

async function once(page, click) {
  return page.evaluate(
    (source) =>
      new Promise((done) => {
        const began = performance.now();
        new Function(source)();
        requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
      }),
    click,
  );
}

async function used(page) {
  // The filter: the first method goes, from tables and plots, and comes back.
  const boxes = page.locator("#filter input[type=checkbox]");
  if ((await boxes.count()) > 1) {
    await page.locator("#filter summary").click();
    const rows = () => page.locator("section[data-study='0'] tr[data-m='0']:visible").count();
    const groups = () =>
      page.evaluate(
        () =>
          [...document.querySelectorAll("section[data-study='0'] g[data-m='0']")].filter(
            (g) => g.style.display !== "none",
          ).length,
      );
    const height = () =>
      page.evaluate(() => document.querySelector("svg[data-rows]")?.viewBox.baseVal.height ?? 0);
    const before = [await rows(), await groups(), await height()];
    await boxes.first().uncheck();
    const others = await page.locator("section[data-study='1'] tr[data-m='0']:visible").count();
    assert.deepEqual([await rows(), await groups()], [0, 0], "a method that is filtered out");
    assert.ok(others > 0 || (await page.locator("section[data-study='1']").count()) === 0, "alone");
    assert.ok(before[2] === 0 || (await height()) < before[2], "rows move up");
    await boxes.first().check();
    assert.deepEqual([await rows(), await groups(), await height()], before, "it is back");
    for (const which of ["main", "none", "all"]) {
      const took = await timed(
        page,
        `document.querySelector("button[data-show=${which}]").click()`,
      );
      assert.ok(took < CLICK_MS, `the filter took ${took} ms`);
    }
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("#filter[open]").count(), 0, "Escape closes the filter");
  }
  // Tables are sorted by a column, and the other way round.
  const button = page.locator("th button").nth(2);
  if ((await button.count()) > 0) {
    const table = page.locator("table", { has: page.locator("th button") }).first();
    const cells = async () => (await table.locator("tbody tr").allInnerTexts()).join("\n");
    await button.click();
    assert.equal(await table.locator("th").nth(2).getAttribute("aria-sort"), "ascending");
    const up = await cells();
    await button.click();
    assert.equal(await table.locator("th").nth(2).getAttribute("aria-sort"), "descending");
    const rows = await table.locator("tbody tr").count();
    assert.ok(rows < 2 || (await cells()) !== up, "another order");
    const took = await timed(page, `document.querySelectorAll("th button")[1].click()`);
    assert.ok(took < CLICK_MS, `sorting took ${took} ms`);
  }
  // A pointer over a plot reads numbers.
  for (const figure of await page.locator("figure.plot").all()) {
    const svg = figure.locator("svg").first();
    await svg.scrollIntoViewIfNeeded();
    const group = svg.locator("g[data-tip] :is(polyline, rect, circle, polygon, line)").first();
    const target = (await group.count()) > 0 ? group : svg;
    const box = await target.boundingBox();
    const at = { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2, bubbles: true };
    await target.dispatchEvent("pointermove", at);
    const tip = page.locator("#tip");
    assert.ok(
      (await tip.innerText()).length > 3,
      `${await figure.getAttribute("id")} tells numbers`,
    );
    // Its data, as a table and as files.
    await figure.locator("button[data-do=data]").click();
    assert.ok((await figure.locator(".numbers tbody tr").count()) > 0, "numbers of the plot");
    await figure.locator("button[data-do=data]").click();
    assert.ok(!(await figure.locator(".numbers").isVisible()), "they fold again");
    for (const [kind, begins] of [
      ["csv", /^\w/],
      ["svg", /^<svg [^]*<rect[^>]*fill="#/],
    ]) {
      const waiting = page.waitForEvent("download");
      await figure.locator(`button[data-do=${kind}]`).click();
      const text = fs.readFileSync(await (await waiting).path(), "utf8");
      assert.match(text, begins, `the ${kind} of a plot`);
      assert.ok(!text.includes("var(--"), "a drawing of its own needs no style sheet");
    }
  }
  await page.mouse.move(2, 2);
  await page.locator("#theme").click();
}

for (const file of rest) {
  const name = path.basename(file, ".html");
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1200, 400]) {
      const viewport = { width, height: 900 };
      const { page, faults, close } = await open(file, { viewport, colorScheme });
      const where = `${name}, ${colorScheme}, ${width} pixels`;
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${where}: ${wide} pixels wide`);
      await drawn(page);
      await numbers(page);
      await accessible(page, where);
      if (screenshots) {
        fs.mkdirSync(screenshots, { recursive: true });
        const shot = path.join(screenshots, `${name}-${colorScheme}-${width}.png`);
        await page.screenshot({ path: shot, fullPage: true });
      }
      if (width === 1200) {
        await used(page);
        await accessible(page, `${where}, after use`);
      }
      assert.deepEqual(faults, [], where);
      await close();
    }
  }
  console.log(`${file}: sound`);
}
await browser.close();
