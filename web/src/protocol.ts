// The wire contract (hotfoot.v1) as the pages see it: frame types, and the one place where text becomes a frame.
// A frame of an unknown type is null, not an error: the server may learn new words before an open page does.

export const SUBPROTOCOL = "hotfoot.v1";

export type Status =
  | "created" | "assigned" | "picked_up" | "en_route" | "arriving"
  | "delivered" | "failed" | "cancelled" | "returned";

/** No status follows these. `failed` is not among them: a second try may. */
export const FINAL: ReadonlySet<Status> = new Set<Status>(["delivered", "cancelled", "returned"]);

export type Vehicle = "bike" | "scooter" | "car" | "van" | "foot";
export type Why = "not_yet" | "finished" | "off";

export interface Place { lat: number; lon: number; address?: string; name?: string }
export interface Eta { at: string; low: string; high: string }
export interface TimeWindow { from: string; to: string }
export interface Position {
  lat: number; lon: number; recorded_at: string;
  accuracy_m?: number; speed_mps?: number; heading_deg?: number; altitude_m?: number; battery?: number;
  /** Only where the very place is not told: this is the middle of a cell so many metres wide. */
  rounded_m?: number;
}
export interface Proof { left_at?: string; name?: string }
export interface Event {
  ver: number; status: Status; at: string; reason?: string; proof?: Proof;
  courier_id?: string; actor?: { kind: string; id?: string };
}
export interface CourierName { name: string; vehicle: Vehicle }

export interface Snapshot {
  type: "snapshot"; epoch: number; ver: number; status: Status;
  eta: Eta | null; stops_before: number | null; position: Position | null;
  visible: boolean; why: Why | null;
  /** All events, or only those newer than `since` when it was given. */
  events: Event[];
  dropoff: Place; pickup: Place;
  courier: CourierName | null; merchant: { name: string }; window: TimeWindow | null;
  live: boolean; stale_since?: string; server_time: string;
}
export interface StatusFrame {
  type: "status"; epoch: number; ver: number; status: Status; at: string; reason?: string; proof?: Proof;
}
/** Who or what may be seen changed, without a status change or right after one. */
export interface View {
  type: "view"; epoch: number; sv: number; visible: boolean; why: Why | null; stops_before: number | null;
  eta: Eta | null; position: Position | null; courier: CourierName | null; window: TimeWindow | null;
}
export interface PositionFrame extends Position { type: "position"; sv: number; eta: Eta | null }
export interface Tick { type: "tick"; sv?: number; live: boolean; server_time: string }
export interface Bye { type: "bye"; code: string; retry_after_ms?: number }

export type CustomerFrame = Snapshot | StatusFrame | View | PositionFrame | Tick | Bye;

export interface OpsCourier {
  id: string; lat: number; lon: number; recorded_at: string;
  heading_deg?: number; speed_mps?: number; accuracy_m?: number; battery?: number;
  /** Sent only the first time in this view, or when they changed. */
  name?: string; vehicle?: Vehicle; stops?: number;
}
export interface Cluster { id: string; lat: number; lon: number; count: number }
export interface OpsEvent { delivery_id: string; courier_id: string | null; ver: number; status: Status; at: string }
export interface Alert {
  kind: "late" | "silent"; courier_id: string | null; delivery_id: string | null; since: string; over?: boolean;
}
export interface OpsStats {
  couriers_on_duty: number; active: number; late: number; silent: number; unassigned: number; delivered_today?: number;
}
export interface OpsFrame {
  type: "frame"; n: number; at: string;
  /** False while the server polls for what it cannot hear; else absent. */
  live?: boolean;
  /** True: forget every courier you had, this is everything in the view. */
  full?: boolean;
  couriers: OpsCourier[]; gone: string[];
  /** Absent: the clusters are as they were. Present: these replace them all. */
  clusters?: Cluster[];
  events: OpsEvent[]; alerts: Alert[]; stats?: OpsStats;
}
export type OpsServerFrame = OpsFrame | Tick | Bye;

/** What an ops page says whenever its map moves. */
export interface OpsView {
  type: "view"; bbox: [west: number, south: number, east: number, north: number]; zoom: number;
  filter?: { courier_ids?: string[]; q?: string };
}

export interface Delivery {
  id: string; external_id: string | null; status: Status; ver: number; epoch: number;
  courier: { id: string; name: string; vehicle: Vehicle } | null; courier_id: string | null; stops_before: number | null;
  pickup: Place; dropoff: Place; recipient: { name: string; phone?: string } | null; window: TimeWindow | null;
  note: string | null; tracking_token: string; tracking_url: string;
  created_at: string; updated_at: string; finished_at: string | null;
}
export interface Courier {
  id: string; name: string; vehicle: Vehicle; phone: string | null; on_duty: boolean; created_at: string;
}
export interface NearbyCourier {
  id: string; name: string; vehicle: Vehicle; phone: string | null; on_duty: boolean;
  position: Position | null; stops: number; delivery_ids: string[]; distance_m?: number;
}
export interface Problem {
  type: string; title: string; status: number; code: string; detail?: string;
  errors?: { location: string; message: string; code?: string }[];
}
export interface List<T> { items: T[]; next_cursor: string | null }

/** Closes after which coming back is pointless. */
export const CLOSED_FOR_GOOD: ReadonlySet<number> = new Set([4001, 4003, 4004]);

type Raw = Record<string, unknown>;
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isString = (value: unknown): value is string => typeof value === "string";
const isTime = (value: unknown): value is string => isString(value) && !Number.isNaN(Date.parse(value));

function read(text: string): Raw | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Raw) : null;
  } catch {
    return null;
  }
}

// Only what a page would trip over is checked; every other field was promised by the contract and is tested there.
const customerChecks: Record<CustomerFrame["type"], (f: Raw) => boolean> = {
  snapshot: (f) => isNumber(f.epoch) && isNumber(f.ver) && isString(f.status) && Array.isArray(f.events) &&
    typeof f.dropoff === "object" && f.dropoff !== null && isTime(f.server_time),
  status: (f) => isNumber(f.epoch) && isNumber(f.ver) && isString(f.status) && isTime(f.at),
  view: (f) => isNumber(f.sv) && typeof f.visible === "boolean",
  position: (f) => isNumber(f.sv) && isNumber(f.lat) && isNumber(f.lon) && isTime(f.recorded_at),
  tick: (f) => isTime(f.server_time),
  bye: (f) => isString(f.code),
};
const opsChecks: Record<OpsServerFrame["type"], (f: Raw) => boolean> = {
  frame: (f) => isNumber(f.n) && isTime(f.at),
  tick: customerChecks.tick,
  bye: customerChecks.bye,
};

export function parseCustomerFrame(text: string): CustomerFrame | null {
  const frame = read(text);
  if (!frame || !isString(frame.type) || !Object.hasOwn(customerChecks, frame.type)) return null;
  return customerChecks[frame.type as CustomerFrame["type"]](frame) ? (frame as unknown as CustomerFrame) : null;
}

export function parseOpsFrame(text: string): OpsServerFrame | null {
  const frame = read(text);
  if (!frame || !isString(frame.type) || !Object.hasOwn(opsChecks, frame.type)) return null;
  if (!opsChecks[frame.type as OpsServerFrame["type"]](frame)) return null;
  if (frame.type !== "frame") return frame as unknown as OpsServerFrame;
  // Empty lists may be left off the wire; readers always find them.
  return { ...frame, couriers: frame.couriers ?? [], gone: frame.gone ?? [], events: frame.events ?? [],
    alerts: frame.alerts ?? [] } as unknown as OpsFrame;
}
