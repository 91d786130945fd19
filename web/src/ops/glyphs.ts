// The shapes a courier or a waiting parcel is shown by, the same on the map and in the list: told apart by shape first,
// by colour second.
//
//   free ○   busy ●   late ◆!   silent ◌   waiting ▤          a beak at the edge points where the courier is heading
//
// All are drawn around 0,0 in a box from -12 to 12, the light ground first; the beak reaches a little out of it.

export type Glyph = "free" | "busy" | "late" | "silent" | "waiting";

type Ink = "accent" | "late" | "silent" | "ink-2" | "sheet";

interface Paint {
  fill?: Ink;
  line?: Ink;
  width?: number;
  dash?: readonly number[];
}

interface Stroke extends Paint {
  d: string;
}

const circle = (r: number) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;

export const glyphs: Record<Glyph, readonly Stroke[]> = {
  free: [
    { d: circle(8.6), fill: "sheet" },
    { d: circle(6.4), line: "accent", width: 2.8 },
  ],
  busy: [
    { d: circle(9), fill: "sheet" },
    { d: circle(7.4), fill: "accent" },
  ],
  late: [
    { d: "M0-9.6L9.6 0L0 9.6L-9.6 0Z", fill: "sheet", line: "sheet", width: 4 },
    { d: "M0-8.4L8.4 0L0 8.4L-8.4 0Z", fill: "late", line: "late", width: 2.6 },
    { d: "M0-4.6V1", line: "sheet", width: 2.4 },
    { d: "M0 4.7V4.75", line: "sheet", width: 2.6 },
  ],
  silent: [
    { d: circle(9), fill: "sheet" },
    { d: circle(7.2), line: "silent", width: 2.4, dash: [2.2, 2.32] },
    { d: circle(2.2), fill: "silent" },
  ],
  waiting: [
    { d: "M-8-7H8V7.5H-8Z", fill: "sheet", line: "sheet", width: 3 },
    { d: "M-7-6H7V6.5H-7Z", line: "ink-2", width: 2.2 },
    { d: "M-7-1.6H7M0-6V-1.6", line: "ink-2", width: 2 },
  ],
};

const beak = "M-5.1-5.1L0-14L5.1-5.1Z";
const beakInk: Partial<Record<Glyph, Ink>> = { free: "accent", busy: "accent", late: "late" };

export const iconBox = 36;
export const iconDensity = 2;
const bearings = 16;

/** The map's name for a glyph with its heading rounded to a sixteenth of a turn: "busy", "busy@4". */
export function iconName(glyph: Glyph, heading: number | null): string {
  if (heading === null || !beakInk[glyph]) return glyph;
  return `${glyph}@${Math.round(((heading % 360) / 360) * bearings) % bearings}`;
}

/** Every icon name there is, for who wants all of them in one picture. */
export const iconNames: readonly string[] = (Object.keys(glyphs) as Glyph[]).flatMap((glyph) =>
  Array.from({ length: beakInk[glyph] ? bearings + 1 : 1 }, (_, index) => (index === 0 ? glyph : `${glyph}@${index - 1}`)));

/**
 * Draws the picture an icon name stands for, in the colours of the theme, with `density` pixels to a unit of the box; null for
 * a name that is not ours.
 */
export function drawIcon(name: string, ink: (name: Ink) => string, density = iconDensity): ImageData | null {
  const [glyph, bearing] = name.split("@") as [Glyph, string | undefined];
  const strokes = glyphs[glyph];
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.round(iconBox * density);
  const pen = canvas.getContext("2d");
  if (!strokes || !pen) return null;
  pen.setTransform(density, 0, 0, density, canvas.width / 2, canvas.height / 2);
  pen.lineCap = pen.lineJoin = "round";
  for (const [index, part] of strokes.entries()) {
    stroke(pen, new Path2D(part.d), part, ink);
    if (index > 0 || bearing === undefined) continue;
    // Over the light ground of the shape and under the shape itself, so that the two are one.
    pen.save();
    pen.rotate((Number(bearing) / bearings) * 2 * Math.PI);
    stroke(pen, new Path2D(beak), { fill: beakInk[glyph], line: "sheet", width: 3 }, ink);
    pen.restore();
  }
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

function stroke(pen: CanvasRenderingContext2D, path: Path2D, part: Paint, ink: (name: Ink) => string): void {
  if (part.line) {
    pen.strokeStyle = ink(part.line);
    pen.lineWidth = part.width ?? 1;
    pen.setLineDash([...(part.dash ?? [])]);
    pen.stroke(path);
  }
  if (part.fill) {
    pen.fillStyle = ink(part.fill);
    pen.fill(path);
  }
}
