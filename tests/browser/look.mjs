// Opens each page in a real browser, as a person may, and says what there is. Called by test_pages.py.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WAYS = {
  screen: { width: 1200 },
  dark: { width: 1200, features: [{ name: "prefers-color-scheme", value: "dark" }] },
  phone: { width: 360 },
  print: { width: 800, media: "print" },
};

async function look(browser, file, way) {
  const page = await browser.newPage();
  const fetched = [], errors = [];
  page.on("request", (request) => fetched.push(request.url()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (line) => line.type() === "error" && errors.push(line.text()));
  await page.setViewport({ width: way.width, height: 900 });
  await page.emulateMediaType(way.media ?? "screen");
  await page.emulateMediaFeatures(way.features ?? []);
  await page.goto(pathToFileURL(file).href);
  const seen = await page.evaluate(() => ({
    title: document.title,
    text: document.body.innerText,
    background: getComputedStyle(document.body).backgroundColor,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    bars: [...document.querySelectorAll("svg rect")].filter((one) => one.getBBox().height > 0).length,
  }));
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  const told = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`);
  await page.close();
  return { ...seen, fetched: fetched.slice(1), errors, violations: told };
}

// It unpacks itself below the folder for temporary files, with fonts whose configuration knows /tmp alone.
const executablePath = await chromium.executablePath();
const fonts = join(tmpdir(), "fonts");
writeFileSync(
  join(fonts, "fonts.conf"),
  `<?xml version="1.0"?><fontconfig><dir>${fonts}</dir><cachedir>${fonts}/cache</cachedir></fontconfig>`,
);
const browser = await puppeteer.launch({
  args: chromium.args,
  executablePath,
  headless: "shell",
  pipe: true,
});
const pages = {};
for (const file of process.argv.slice(2)) {
  pages[file] = {};
  for (const [name, way] of Object.entries(WAYS)) pages[file][name] = await look(browser, file, way);
}
await browser.close();
console.log(JSON.stringify(pages));
