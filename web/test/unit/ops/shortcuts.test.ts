import { expect, test } from "vitest";
import { command } from "../../../src/ops/shortcuts.ts";

const press = (key: string) => ({ key, ctrlKey: false, altKey: false, metaKey: false });
test("letters typed into a field are text", () => {
  for (const key of ["f", "n", "/", "?"]) {
    expect(command(press(key), "search")).toBeNull();
    expect(command(press(key), "text")).toBeNull();
    expect(command(press(key), "page")).not.toBeNull();
  }
});
test("arrows and Enter steer the list from the search, but a button keeps its Enter", () => {
  expect(command(press("ArrowDown"), "search")).toBe("next");
  expect(command(press("Enter"), "search")).toBe("open");
  expect(command(press("Enter"), "control")).toBeNull();
});
test("with Ctrl, Alt or Meta a key is the browser's; Escape works everywhere", () => {
  expect(command({ ...press("f"), ctrlKey: true }, "page")).toBeNull();
  expect(command(press("Escape"), "text")).toBe("close");
});
