// How smoothly a page runs, as the browser itself counts.
import type { Page } from "playwright-core";

export interface Smoothness {
  /** Pictures of the map a second: animation frames in which something was drawn with WebGL. */
  painted: number;
  /** Animation frames a second, whether or not there was anything to draw. */
  frames: number;
  /** What the main thread worked, per picture of the map. */
  taskMs: number;
  /** The share of the time in which it worked. */
  busy: number;
  /** The longest single task, in milliseconds; 0 when none took more than 50. */
  longest: number;
}

/** Watches a page for a while, in milliseconds. */
export async function measure(page: Page, forMs: number): Promise<Smoothness> {
  const debug = await page.context().newCDPSession(page);
  await debug.send("Performance.enable");
  const tasks = async () => {
    const { metrics } = await debug.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")!.value * 1000;
  };
  const before = await tasks();
  const seen = await page.evaluate(watch, forMs);
  const taskMs = await tasks() - before;
  await debug.detach();
  return {
    painted: seen.painted * 1000 / seen.ms, frames: seen.frames * 1000 / seen.ms,
    taskMs: taskMs / Math.max(1, seen.painted), busy: taskMs / seen.ms, longest: seen.longest,
  };
}

/** Runs in the page. */
async function watch(forMs: number): Promise<{ painted: number; frames: number; longest: number; ms: number }> {
  let drew = false;
  let painted = 0;
  let frames = 0;
  let longest = 0;
  const gl = WebGL2RenderingContext.prototype;
  const draw = gl.drawElements;
  gl.drawElements = function (...of) {
    drew = true;
    draw.apply(this, of);
  };
  const tasks = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
  });
  tasks.observe({ type: "longtask" });
  const began = performance.now();
  await new Promise<void>((resolve) => {
    const next = () => {
      frames++;
      if (drew) painted++;
      drew = false;
      if (performance.now() - began < forMs) requestAnimationFrame(next);
      else resolve();
    };
    requestAnimationFrame(next);
  });
  gl.drawElements = draw;
  tasks.disconnect();
  return { painted, frames, longest, ms: performance.now() - began };
}
