// The frame that all sheets share.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useRoom } from "./context.ts";
import { close } from "../hands.ts";

export function SheetFrame({ title, under, children }: {
  title: ComponentChildren;
  under?: ComponentChildren;
  children: ComponentChildren;
}) {
  const { desk } = useRoom();
  const heading = useRef<HTMLHeadingElement>(null);
  // A sheet opened from the list leaves the focus there, so that the arrows go on; any other one takes it.
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus();
  }, []);
  return (
    <aside class="sheet" aria-labelledby="sheet-title">
      <div class="sheet-head">
        <div>
          <h2 id="sheet-title" ref={heading} tabIndex={-1}>{title}</h2>
          {under ? <p class="soft">{under}</p> : null}
        </div>
        <button type="button" class="round" aria-label="Close" title="Close ( Esc )" onClick={() => close(desk)}>✕</button>
      </div>
      <div class="sheet-body">{children}</div>
    </aside>
  );
}
