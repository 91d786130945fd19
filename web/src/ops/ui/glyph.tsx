// A glyph of the map, beside words.

import type { Glyph as Name } from "../glyphs.ts";
import { glyphs } from "../glyphs.ts";

export function Glyph({ name }: { name: Name }) {
  return (
    <svg class="glyph" viewBox="-12 -12 24 24" aria-hidden="true">
      {glyphs[name].map((part) => (
        <path
          key={part.d}
          d={part.d}
          class={`${part.fill ? `fill-${part.fill}` : ""} ${part.line ? `line-${part.line}` : ""}`}
          stroke-width={part.width}
          stroke-dasharray={part.dash?.join(" ")}
        />
      ))}
    </svg>
  );
}
