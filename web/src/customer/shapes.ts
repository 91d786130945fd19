// The soft line to the door and the ring of a vague fix, drawn above the map's canvas: while the dot glides from fix to fix the map itself, which is
// dear to draw, stands still.
import type { Map as MapLibre } from "maplibre-gl";
import { svg } from "./figures.ts";

type Pair = [lon: number, lat: number];

export interface Drawn {
  courier: Pair;
  /** Where the line leads; null for no line. */
  door: Pair | null;
  /** The ring's radius; null for no ring. */
  ringM: number | null;
}

const M_PER_DEGREE = 111_320;
const BEND = 0.12;

export class Shapes {
  readonly #map: MapLibre;
  readonly #ring = svg("circle", { class: "ring" });
  readonly #line = svg("path", { class: "ahead" });
  #drawn: Drawn | null = null;

  constructor(map: MapLibre) {
    this.#map = map;
    // A pixel is enough, since it overflows. It lies on the canvas and below the markers, which come after it.
    map.getCanvas().after(svg("svg", { class: "shapes", width: "1", height: "1", "aria-hidden": "true" }, this.#ring, this.#line));
    map.on("move", () => this.#draw());
  }

  show(drawn: Drawn | null): void {
    this.#drawn = drawn;
    this.#draw();
  }

  #draw(): void {
    const { courier, door = null, ringM = null } = this.#drawn ?? {};
    this.#line.setAttribute("d", courier && door ? this.#arc(courier, door) : "");
    this.#ring.setAttribute("r", courier && ringM !== null ? this.#pixels(courier, ringM).toFixed(1) : "0");
    if (!courier) return;
    const { x, y } = this.#map.project(courier);
    this.#ring.setAttribute("cx", x.toFixed(1));
    this.#ring.setAttribute("cy", y.toFixed(1));
  }

  /** A shallow arc. Straight it would look like a route through the houses; bent it reads as "from here to there". */
  #arc(from: Pair, to: Pair): string {
    const a = this.#map.project(from), b = this.#map.project(to);
    const middle = { x: (a.x + b.x) / 2 + (b.y - a.y) * BEND, y: (a.y + b.y) / 2 - (b.x - a.x) * BEND };
    const [start, bend, end] = [a, middle, b].map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`);
    return `M${start} Q${bend} ${end}`;
  }

  #pixels([lon, lat]: Pair, metres: number): number {
    const east = metres / (M_PER_DEGREE * Math.cos((lat * Math.PI) / 180));
    return this.#map.project([lon + east, lat]).x - this.#map.project([lon, lat]).x;
  }
}
