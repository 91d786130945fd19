// The list: only the rows in sight exist in the page, so a fleet of thousands scrolls like one of ten.

import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useRoom } from "./context.ts";
import { Empty } from "./empty.tsx";
import { Filters } from "./bar.tsx";
import { Glyph } from "./glyph.tsx";
import { select } from "../desk.ts";
import { reason } from "../reason.ts";
import type { Row } from "../rows.ts";

/** Rows kept ready above and below what is in sight. */
const spare = 4;

export function ListPane() {
  const { desk } = useRoom();
  return (
    <section class="list-pane" aria-label="Couriers and deliveries">
      <div class="list-head">
        <input
          id="search"
          type="search"
          class="search"
          placeholder="Search  ( / )"
          aria-label="Search couriers and deliveries"
          autocomplete="off"
          spellcheck={false}
          value={desk.query.value}
          onInput={(event) => { desk.query.value = event.currentTarget.value; }}
        />
        <Filters />
      </div>
      {desk.rows.value.length > 0 ? <List /> : <Empty />}
    </section>
  );
}

function List() {
  const { desk } = useRoom();
  const box = useRef<HTMLDivElement>(null);
  const scroll = useSignal({ top: 0, height: 600 });
  const rowHeight = useSignal(60);

  const measure = () => {
    const element = box.current;
    if (!element) return;
    rowHeight.value = 3.75 * parseFloat(getComputedStyle(document.documentElement).fontSize);
    scroll.value = { top: element.scrollTop, height: element.clientHeight };
  };
  useLayoutEffect(measure, []);
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);

  // The row the keys stand on is brought into sight; one the pointer is on is there already.
  const marked = desk.marked.value;
  useEffect(() => {
    const index = desk.rows.value.findIndex((row) => row.id === marked);
    const element = box.current;
    if (!element || index < 0) return;
    const top = index * rowHeight.value;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight.value > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + rowHeight.value - element.clientHeight;
    }
  }, [desk, marked]);

  const span = useComputed(() => {
    const { top, height } = scroll.value;
    const first = Math.max(0, Math.floor(top / rowHeight.value) - spare);
    return { first, last: Math.ceil((top + height) / rowHeight.value) + spare };
  });
  const rows = desk.rows.value;
  const { first, last } = span.value;
  const inSight = rows.slice(first, last);
  return (
    <div
      ref={box}
      id="list"
      class="list"
      role="listbox"
      tabIndex={0}
      aria-label="Couriers and deliveries, what needs you first"
      aria-activedescendant={inSight.some((row) => row.id === marked) ? `row-${marked}` : undefined}
      onScroll={measure}
      onMouseLeave={() => { desk.hovered.value = null; }}
    >
      <div class="list-height" role="presentation" style={{ height: `${rows.length * rowHeight.value}px` }}>
        {inSight.map((row, index) => (
          <RowView key={row.id} row={row} index={first + index} of={rows.length} top={(first + index) * rowHeight.value} />
        ))}
      </div>
    </div>
  );
}

function RowView({ row, index, of, top }: { row: Row; index: number; of: number; top: number }) {
  const { desk } = useRoom();
  const { fleet, ledger, now, selection, marked, hovered } = desk;
  const glyph = row.trouble ?? (row.courier ? (row.courier.stops > 0 ? "busy" : "free") : "waiting");
  return (
    <div
      id={`row-${row.id}`}
      class={`row ${row.trouble ? `is-${row.trouble}` : ""} ${marked.value === row.id ? "is-marked" : ""} ${hovered.value === row.id ? "is-hovered" : ""}`}
      role="option"
      aria-selected={selection.value?.id === row.id}
      aria-setsize={of}
      aria-posinset={index + 1}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => select(desk, { kind: row.kind, id: row.id })}
      onMouseEnter={() => { hovered.value = row.id; }}
    >
      <Glyph name={glyph} />
      <span class="row-title">{row.title}</span>
      <span class="row-aside">{row.aside}</span>
      <span class="row-reason">{reason(row, fleet, ledger, now.value)}</span>
    </div>
  );
}
