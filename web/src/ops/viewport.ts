// Which part of the world the server is asked about. A margin around the map is asked for as well, so that a small
// move, or a map that follows a courier, needs no new question and shows no empty edge.

export interface Viewport {
  bbox: [west: number, south: number, east: number, north: number];
  zoom: number;
}

const margin = 0.25;
const zoomStep = 0.5;

export function widened({ bbox: [west, south, east, north], zoom }: Viewport): Viewport {
  const dx = (east - west) * margin;
  const dy = (north - south) * margin;
  return {
    bbox: [
      round(Math.max(-180, west - dx)), round(Math.max(-90, south - dy)),
      round(Math.min(180, east + dx)), round(Math.min(90, north + dy)),
    ],
    zoom: Math.round(zoom * 100) / 100,
  };
}

/** Whether the map shows something the last question did not cover, or covers it at quite another scale. */
export function outgrown(asked: Viewport | null, shown: Viewport): boolean {
  if (!asked) return true;
  const [west, south, east, north] = asked.bbox;
  const [w, s, e, n] = shown.bbox;
  return w < west || s < south || e > east || n > north || Math.abs(shown.zoom - asked.zoom) >= zoomStep;
}

function round(degrees: number): number {
  return Math.round(degrees * 1e5) / 1e5;
}
