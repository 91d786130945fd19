import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const css = readFileSync(new URL("../../src/theme.css", import.meta.url), "utf8");

function tokens(block: string): Record<string, string> {
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((match) => [match[1]!, match[2]!]));
}
const [lightBlock, darkBlock] = css.split("@media (prefers-color-scheme: dark)");
const light = tokens(lightBlock!);
const dark = { ...light, ...tokens(darkBlock!) };

function luminance(hex: string): number {
  const channel = (i: number) => {
    const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.040_45 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}
function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].toSorted((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

// WCAG AA: 4.5 for text, 3 for the edges of controls and what else must be told apart.
const TEXT: [string, string][] = [
  ["ink", "paper"], ["ink", "sheet"], ["ink", "sunken"], ["ink-2", "paper"], ["ink-2", "sheet"], ["ink-2", "sunken"],
  ["accent", "sheet"], ["accent", "sunken"], ["accent", "accent-soft"], ["accent-ink", "accent"],
  ["late", "sheet"], ["late", "late-soft"], ["late", "sunken"], ["silent", "sheet"], ["silent", "silent-soft"], ["silent", "sunken"],
  ["idle", "sheet"], ["idle", "sunken"], ["ink", "accent-soft"], ["ink", "late-soft"], ["ink", "silent-soft"],
];

describe.each([["light", light], ["dark", dark]] as const)("%s", (_name, theme) => {
  test.each(TEXT)("%s on %s can be read", (text, surface) => {
    expect(contrast(theme[text]!, theme[surface]!)).toBeGreaterThanOrEqual(4.5);
  });
  test("the edges of controls can be seen", () => {
    expect(contrast(theme.edge!, theme.sheet!)).toBeGreaterThanOrEqual(3);
  });
});
