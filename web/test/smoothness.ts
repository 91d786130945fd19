// How smoothly a page runs, as the browser itself counts.
import type { Page } from "playwright-core";

export interface Smoothness {
  /** Pictures of the map a second: animation frames in which something was drawn with WebGL. */
  painted: number;
  /** Animation frames a second, whether or not there was anything to draw. */
  frames: number;
  /** What the page's own scripts took of the main thread, per picture of the map, in milliseconds. */
  scriptMs: number;
  /** The same with all that the browser does there, waiting for the renderer included. */
  mainMs: number;
  /** The longest single task, in milliseconds; 0 when none took more than 50. */
  longest: number;
}

/** Watches a page for a while, in milliseconds. */
export async function measure(page: Page, forMs: number): Promise<Smoothness> {
  const debug = await page.context().newCDPSession(page);
  await debug.send("Performance.enable");
  const spent = async () => {
    const { metrics } = await debug.send("Performance.getMetrics");
    const [script, main] = ["ScriptDuration", "TaskDuration"].map((wanted) => metrics.find(({ name }) => name === wanted)!.value * 1000);
    return { script: script!, main: main! };
  };
  const before = await spent();
  const seen = await page.evaluate(watch, forMs);
  const after = await spent();
  await debug.detach();
  const pictures = Math.max(1, seen.painted);
  return {
    painted: seen.painted * 1000 / seen.ms, frames: seen.frames * 1000 / seen.ms,
    scriptMs: (after.script - before.script) / pictures, mainMs: (after.main - before.main) / pictures, longest: seen.longest,
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
