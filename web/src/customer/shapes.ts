// Two small pieces of geometry: a line that does not pretend to be a route, and a circle in metres.

type Pair = [lon: number, lat: number];

const M_PER_DEGREE = 111_320;

/** A shallow arc. Straight it would look like a route through the houses; bent it reads as "from here to there". */
export function softLine(from: Pair, to: Pair): GeoJSON.Feature<GeoJSON.LineString> {
  const bend = 0.12;
  const squeeze = Math.cos((from[1] * Math.PI) / 180);
  const dx = (to[0] - from[0]) * squeeze, dy = to[1] - from[1];
  const middle: Pair = [(from[0] + to[0]) / 2 - (dy * bend) / squeeze, (from[1] + to[1]) / 2 + dx * bend];
  const coordinates = Array.from({ length: 33 }, (_, i): Pair => {
    const t = i / 32, u = 1 - t;
    return [0, 1].map((k) => u * u * from[k]! + 2 * u * t * middle[k]! + t * t * to[k]!) as Pair;
  });
  return { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates } };
}

export function circle(center: Pair, radiusM: number): GeoJSON.Feature<GeoJSON.Polygon> {
  const squeeze = Math.cos((center[1] * Math.PI) / 180);
  const ring = Array.from({ length: 49 }, (_, i): Pair => {
    const angle = (i / 48) * 2 * Math.PI;
    return [
      center[0] + (Math.cos(angle) * radiusM) / (M_PER_DEGREE * squeeze),
      center[1] + (Math.sin(angle) * radiusM) / M_PER_DEGREE,
    ];
  });
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}
