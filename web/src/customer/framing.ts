// When and how the map moves by itself: so that courier and door are both in sight, seldom, gently, and never against a hand.
import type { LngLatLike, Map as MapLibre, PaddingOptions } from "maplibre-gl";
import { LngLatBounds } from "maplibre-gl";

const REST_MS = 4_000;
const HANDS_OFF_MS = 30_000;
const CLOSEST = 16.5;
/** A door alone is shown with the streets around it. */
const CLOSEST_ALONE = 15.2;

export class Framing {
  readonly #map: MapLibre;
  readonly #button: HTMLElement;
  #points: [number, number][] = [];
  #moved = 0;
  #touched = -Infinity;
  #fingers = 0;

  constructor(map: MapLibre, button: HTMLElement) {
    this.#map = map;
    this.#button = button;
    const box = map.getContainer();
    const down = () => {
      this.#fingers++;
      this.#hand();
    };
    // A finger may leave the map before it is lifted, so the whole page is listened to; one that began elsewhere is not ours.
    const up = () => {
      if (this.#fingers === 0) return;
      this.#fingers--;
      this.#hand();
    };
    box.addEventListener("pointerdown", down);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", up);
    box.addEventListener("wheel", () => this.#hand(), { passive: true });
    box.addEventListener("keydown", () => this.#hand());
    button.addEventListener("click", () => {
      this.#touched = -Infinity;
      this.#button.hidden = true;
      this.#fit(true);
    });
    map.on("resize", () => this.#fit(false));
  }

  /** What should be in sight. The first time the map goes there at once. */
  show(points: [number, number][], now: number): void {
    const first = this.#points.length === 0;
    const more = points.length !== this.#points.length;
    this.#points = points;
    if (points.length === 0) return;
    if (first) return this.#fit(false);
    if (this.#fingers > 0 || now - this.#touched < HANDS_OFF_MS) return;
    this.#button.hidden = true;
    if (more || (now - this.#moved > REST_MS && this.#needed())) this.#fit(true);
  }

  #hand(): void {
    this.#touched = Date.now();
    this.#button.hidden = this.#points.length === 0;
  }

  // Something left the calm middle, or both have come so close that the map could show more of the street.
  #needed(): boolean {
    const { clientWidth: width, clientHeight: height } = this.#map.getContainer();
    const padding = this.#padding();
    const seen = this.#points.map((point) => this.#map.project(point));
    const margin = 0.6;
    const outside = seen.some(({ x, y }) => x < padding.left * margin || x > width - padding.right * margin ||
      y < padding.top * margin || y > height - padding.bottom * margin);
    if (outside) return true;
    if (seen.length < 2 || this.#map.getZoom() > CLOSEST - 0.5) return false;
    const spanX = Math.max(...seen.map((p) => p.x)) - Math.min(...seen.map((p) => p.x));
    const spanY = Math.max(...seen.map((p) => p.y)) - Math.min(...seen.map((p) => p.y));
    return spanX < 0.4 * (width - padding.left - padding.right) && spanY < 0.4 * (height - padding.top - padding.bottom);
  }

  #fit(gently: boolean): void {
    if (this.#points.length === 0) return;
    this.#moved = Date.now();
    const bounds = new LngLatBounds();
    for (const point of this.#points) bounds.extend(point as LngLatLike);
    this.#map.fitBounds(bounds, {
      padding: this.#padding(), maxZoom: this.#points.length === 1 ? CLOSEST_ALONE : CLOSEST,
      duration: gently ? 1_400 : 0, linear: true,
    });
  }

  #padding(): Required<PaddingOptions> {
    const { clientWidth: width, clientHeight: height } = this.#map.getContainer();
    const sheet = document.getElementById("sheet")!.getBoundingClientRect();
    const box = this.#map.getContainer().getBoundingClientRect();
    const around = Math.min(72, width * 0.16, height * 0.18);
    const padding = { top: around, bottom: around, left: around, right: around };
    // The zoom buttons keep their corner.
    if (this.#map.getContainer().querySelector(".maplibregl-ctrl-top-right button")) padding.right += 36;
    // Beside the sheet, not under it; on a phone the sheet is below and covers nothing.
    if (sheet.width < box.width * 0.7) {
      if (sheet.left - box.left < box.right - sheet.right) padding.left += sheet.right - box.left;
      else padding.right += box.right - sheet.left;
    }
    return padding;
  }
}
