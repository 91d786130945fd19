// Which key does what. A letter typed into a field is text, never a command; with Ctrl, Alt or Meta it is the browser's.

export type Command = "search" | "next" | "previous" | "open" | "follow" | "create" | "help" | "close";

export const shortcuts: readonly { keys: string; does: string }[] = [
  { keys: "/", does: "Search" },
  { keys: "↓ ↑", does: "Go through the list" },
  { keys: "Enter", does: "Open the one marked" },
  { keys: "f", does: "Follow the courier, or stop" },
  { keys: "n", does: "New delivery" },
  { keys: "?", does: "Show these keys" },
  { keys: "Esc", does: "Close what is open" },
];

export interface Press {
  key: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/** Where the focus is: in the search field, in the list, in some other control, or nowhere in particular. */
export type Focus = "search" | "list" | "text" | "control" | "page";

export function command(press: Press, focus: Focus): Command | null {
  if (press.ctrlKey || press.altKey || press.metaKey) return null;
  if (press.key === "Escape") return "close";
  if (focus === "text") return null;
  const steers = focus !== "control";
  if (press.key === "ArrowDown") return steers ? "next" : null;
  if (press.key === "ArrowUp") return steers ? "previous" : null;
  if (press.key === "Enter") return steers ? "open" : null;
  if (focus === "search") return null;
  switch (press.key) {
    case "/": return "search";
    case "f": return "follow";
    case "n": return "create";
    case "?": return "help";
    default: return null;
  }
}
