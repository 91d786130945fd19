import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ReconnectingSocket } from "../../src/socket.ts";
import type { SocketState } from "../../src/socket.ts";

class FakeSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static made: FakeSocket[] = [];
  static get last(): FakeSocket {
    return FakeSocket.made.at(-1)!;
  }
  readyState = 0;
  sent: string[] = [];
  readonly url: string;

  constructor(url: string) {
    super();
    this.url = url;
    FakeSocket.made.push(this);
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.readyState = 3;
  }
  opens(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }
  says(frame: unknown): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data: JSON.stringify(frame) }));
  }
  closes(code: number): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

const windowEvents = new EventTarget();
const documentEvents = Object.assign(new EventTarget(), { visibilityState: "visible" });
let states: [SocketState, number | undefined][];
let cursor: string;

function socket(more: Partial<ConstructorParameters<typeof ReconnectingSocket>[0]> = {}): ReconnectingSocket {
  const made = new ReconnectingSocket({
    url: () => `ws://x/?since=${cursor}`, protocols: ["hotfoot.v1"], onMessage: () => true,
    onState: (state, code) => void states.push([state, code]), ...more,
  });
  made.start();
  return made;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("document", documentEvents);
  vi.stubGlobal("addEventListener", windowEvents.addEventListener.bind(windowEvents));
  vi.stubGlobal("removeEventListener", windowEvents.removeEventListener.bind(windowEvents));
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  FakeSocket.made = [];
  states = [];
  cursor = "1.4";
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("it comes back with the newest cursor", () => {
  const s = socket();
  FakeSocket.last.opens();
  cursor = "1.9";
  FakeSocket.last.closes(1006);
  expect(states.map(([state]) => state)).toEqual(["connecting", "open", "reconnecting"]);
  vi.advanceTimersByTime(1_000);
  expect(FakeSocket.made).toHaveLength(2);
  expect(FakeSocket.last.url).toBe("ws://x/?since=1.9");
  s.stop();
});

test("attempts spread over longer and longer waits, with a ceiling", () => {
  const s = socket({ maxDelayMs: 8_000 });
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    const before = FakeSocket.made.length;
    FakeSocket.last.closes(1006);
    let waited = 0;
    while (FakeSocket.made.length === before) {
      vi.advanceTimersByTime(50);
      waited += 50;
    }
    waits.push(waited);
  }
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000, 4_000]);
  s.stop();
});

test.each([4001, 4003, 4004])("after %s it does not come back", (code) => {
  socket();
  FakeSocket.last.opens();
  FakeSocket.last.closes(code);
  vi.advanceTimersByTime(600_000);
  expect(FakeSocket.made).toHaveLength(1);
  expect(states.at(-1)).toEqual(["ended", code]);
});

test("it stays away as long as bye asked, and not all come back at once", () => {
  const s = socket();
  FakeSocket.last.opens();
  FakeSocket.last.says({ type: "bye", code: "restarting", retry_after_ms: 3_000 });
  FakeSocket.last.closes(1012);
  vi.advanceTimersByTime(4_400);
  expect(FakeSocket.made).toHaveLength(1);
  vi.advanceTimersByTime(200);
  expect(FakeSocket.made).toHaveLength(2);
  s.stop();
});

test("a hole replaces the connection at once", () => {
  const s = socket({ onMessage: () => false });
  FakeSocket.last.opens();
  const first = FakeSocket.last;
  first.says({ type: "status" });
  expect(FakeSocket.made).toHaveLength(2);
  expect(first.readyState).toBe(3);
  s.stop();
});

test("what an old connection still says is not heard", () => {
  const heard: string[] = [];
  const s = socket({ onMessage: (text) => void heard.push(text) });
  const first = FakeSocket.last;
  first.opens();
  s.resync();
  first.says({ type: "position" });
  first.closes(1006);
  expect(heard).toEqual([]);
  expect(FakeSocket.made).toHaveLength(2);
  s.stop();
});

test("silence longer than the ticks means it is dead", () => {
  const s = socket({ silenceMs: 12_000 });
  FakeSocket.last.opens();
  vi.advanceTimersByTime(11_000);
  FakeSocket.last.says({ type: "tick" });
  vi.advanceTimersByTime(11_000);
  expect(FakeSocket.made).toHaveLength(1);
  vi.advanceTimersByTime(1_500);
  expect(FakeSocket.made).toHaveLength(2);
  s.stop();
});

test("a proxy that swallows sockets counts as one that refuses them", () => {
  const onUnreachable = vi.fn();
  const s = socket({ silenceMs: 12_000, unreachableAfter: 2, onUnreachable });
  vi.advanceTimersByTime(30_000);
  expect(onUnreachable).toHaveBeenCalledTimes(1);
  s.stop();
});

test("a tab that wakes up after a while does not wait to find out", () => {
  const s = socket();
  FakeSocket.last.opens();
  vi.setSystemTime(Date.now() + 60_000);
  documentEvents.dispatchEvent(new Event("visibilitychange"));
  expect(FakeSocket.made).toHaveLength(2);
  s.stop();
});

test("a tab that was only briefly away keeps its connection", () => {
  const s = socket();
  FakeSocket.last.opens();
  documentEvents.dispatchEvent(new Event("visibilitychange"));
  windowEvents.dispatchEvent(new Event("online"));
  expect(FakeSocket.made).toHaveLength(1);
  s.stop();
});

test("a network that comes back is tried at once", () => {
  const s = socket();
  FakeSocket.last.closes(1006);
  windowEvents.dispatchEvent(new Event("online"));
  expect(FakeSocket.made).toHaveLength(2);
  s.stop();
});

test("a proxy that refuses sockets is reported once, and it goes on trying", () => {
  const onUnreachable = vi.fn();
  const s = socket({ unreachableAfter: 2, onUnreachable });
  for (let i = 0; i < 4; i++) {
    FakeSocket.last.closes(1006);
    vi.advanceTimersByTime(20_000);
  }
  expect(onUnreachable).toHaveBeenCalledTimes(1);
  expect(FakeSocket.made.length).toBeGreaterThan(3);
  s.stop();
});

test("stopped is stopped", () => {
  const s = socket();
  FakeSocket.last.opens();
  s.stop();
  windowEvents.dispatchEvent(new Event("online"));
  vi.advanceTimersByTime(600_000);
  expect(FakeSocket.made).toHaveLength(1);
  expect(s.send({ type: "view" })).toBe(false);
});
