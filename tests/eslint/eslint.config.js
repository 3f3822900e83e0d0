// What runs in the browser. The player's files are joined into one module when they are served, so
// that what one declares at its top is known to the others.
import { readdirSync, readFileSync } from "node:fs";
import js from "@eslint/js";
import globals from "globals";

const player = new URL("../../ui/player/", import.meta.url);
const declared = /^(?:export default )?(?:async )?(?:function|class|const|let) (?:\{([^}]*)\}|(\w+))/gm;

function topNames(file) {
  const text = readFileSync(new URL(file, player), "utf8");
  const found = [...text.matchAll(declared)].flatMap(([line, inner, name]) =>
    inner ? inner.split(",").map((each) => each.split(":").at(-1).trim())
      : [name, ...(line.includes("const") ? more(text, line) : [])]);
  return [...new Set(found)];
}

function more(text, line) { // const A = 1, B = 2; on one line
  const whole = text.slice(text.indexOf(line)).split("\n")[0];
  return [...whole.matchAll(/[,] ([A-Z_]+) = /g)].map(([, name]) => name);
}

const files = readdirSync(player).filter((file) => file.endsWith(".js"));
const rules = { ...js.configs.recommended.rules, eqeqeq: "error", "no-var": "error",
  "prefer-const": ["error", { destructuring: "all" }] };

function configured(file) {
  const others = files.filter((other) => other !== file);
  const elsewhere = others.map((other) => readFileSync(new URL(other, player), "utf8")).join("\n");
  const asked = topNames(file).filter((name) => new RegExp(`\\b${name}\\b`).test(elsewhere));
  const known = Object.fromEntries(others.flatMap(topNames).map((name) => [name, "readonly"]));
  return {
    files: [`ui/player/${file}`],
    rules: { ...rules, "no-unused-vars": ["error", { varsIgnorePattern: `^(${asked.join("|")})$` }] },
    languageOptions: { globals: { ...globals.browser, SHARED: "readonly", ...known } },
  };
}

export default [
  { files: ["ui/window/*.js"], rules, languageOptions: { globals: globals.browser } },
  ...files.map(configured),
];
