// A window of time typed as two times of day. The day is the one that makes sense: a window that ended already is
// tomorrow's, and one that ends before it begins ends on the next day.

import type { TimeWindow } from "../protocol.ts";

const minute = /^(\d{2}):(\d{2})$/;

export function promised(from: string, to: string, now: number): TimeWindow | null {
  const begin = onDay(from, now);
  const end = onDay(to, now);
  if (!begin || !end) return null;
  if (end <= begin) end.setDate(end.getDate() + 1);
  if (end.getTime() <= now) {
    begin.setDate(begin.getDate() + 1);
    end.setDate(end.getDate() + 1);
  }
  return { from: begin.toISOString(), to: end.toISOString() };
}

function onDay(text: string, now: number): Date | null {
  const match = minute.exec(text);
  if (!match) return null;
  const day = new Date(now);
  day.setHours(Number(match[1]), Number(match[2]), 0, 0);
  return day;
}
