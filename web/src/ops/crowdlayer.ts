// Draws a crowd: one buffer, one picture with all icons in it, one draw call, and one more for those that must be seen above
// the rest. The map is never turned or tilted, so a place on the screen is a scale and a shift away.

import type { CustomLayerInterface, Map as MapLibre } from "maplibre-gl";
import { spotOf, stride } from "./crowd.ts";
import type { Crowd } from "./crowd.ts";
import { drawIcon, iconBox, iconNames } from "./glyphs.ts";
import { token } from "./layers.ts";

/** In a crowd a marker is smaller: it says that somebody is there, and whether all is well. Ten thousand have ten pixels each. */
const shrink = 0.5;

const across = 8;
const rows = Math.ceil(iconNames.length / across);

const vertex = `#version 300 es
in vec4 way;
in vec4 look;
uniform vec2 middle;
uniform vec2 scale;
uniform float clock;
uniform float size;
out vec2 cell;
out float fade;
void main() {
  float share = look.y > 0.0 ? clamp((clock - look.x) / look.y, 0.0, 1.0) : 1.0;
  vec2 at = mix(way.xy, way.zw, share) - middle;
  at.x -= floor(at.x + 0.5);
  gl_Position = vec4(at * scale, 0.0, 1.0);
  gl_PointSize = size;
  cell = vec2(mod(look.z, ${across}.0), floor(look.z / ${across}.0));
  fade = look.w;
}`;

const fragment = `#version 300 es
precision highp float;
in vec2 cell;
in float fade;
uniform sampler2D icons;
out vec4 colour;
void main() {
  colour = texture(icons, (cell + gl_PointCoord) / vec2(${across}.0, ${rows}.0)) * fade;
  if (colour.a < 0.01) discard;
}`;

export class CrowdLayer implements CustomLayerInterface {
  readonly id = "crowd";
  readonly type = "custom";
  readonly #crowd: Crowd;
  #map: MapLibre | null = null;
  #brush: Brush | null = null;
  /** Pixels to a unit of the icons as they are drawn; 0 when they must be drawn anew. */
  #density = 0;

  constructor(crowd: Crowd) {
    this.#crowd = crowd;
  }

  onAdd(map: MapLibre, gl: WebGL2RenderingContext): void {
    this.#map = map;
    this.#brush = new Brush(gl);
    this.#density = 0;
  }

  onRemove(): void {
    this.#map = this.#brush = null;
  }

  /** The colours of the theme have changed. */
  retheme(): void {
    this.#density = 0;
  }

  render(): void {
    const [map, brush, crowd] = [this.#map, this.#brush, this.#crowd];
    if (!map || !brush || crowd.size === 0) return;
    const density = shrink * map.getPixelRatio();
    if (this.#density !== density) brush.drawIcons(density);
    this.#density = density;
    const { lat, lng } = map.getCenter();
    const middle = spotOf({ lat, lon: lng });
    const world = 512 * 2 ** map.getZoom();
    const { clientWidth, clientHeight } = map.getCanvas();
    brush.paint(crowd, {
      middle: [middle.x - crowd.origin.x, middle.y - crowd.origin.y],
      scale: [(2 * world) / clientWidth, (-2 * world) / clientHeight],
      size: Math.round(iconBox * density),
      clock: crowd.clock(Date.now()),
    });
  }
}

interface Picture { middle: [number, number]; scale: [number, number]; size: number; clock: number }

/** The WebGL of it. The map sets up its own state again after a layer like this. */
class Brush {
  readonly #gl: WebGL2RenderingContext;
  readonly #program: WebGLProgram;
  readonly #places: Record<"middle" | "scale" | "clock" | "size", WebGLUniformLocation | null>;
  readonly #vertices: WebGLVertexArrayObject;
  readonly #numbers: WebGLBuffer;
  readonly #order: WebGLBuffer;
  readonly #icons: WebGLTexture;
  #version = -1;

  constructor(gl: WebGL2RenderingContext) {
    this.#gl = gl;
    this.#program = linked(gl);
    const at = (name: string) => gl.getUniformLocation(this.#program, name);
    this.#places = { middle: at("middle"), scale: at("scale"), clock: at("clock"), size: at("size") };
    [this.#numbers, this.#order, this.#icons] = [gl.createBuffer(), gl.createBuffer(), gl.createTexture()];
    this.#vertices = gl.createVertexArray();
    gl.bindVertexArray(this.#vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#numbers);
    for (const [name, offset] of [["way", 0], ["look", 4]] as const) {
      const location = gl.getAttribLocation(this.#program, name);
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, 4, gl.FLOAT, false, stride * 4, offset * 4);
    }
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.#order);
    gl.bindVertexArray(null);
  }

  /** As large as they are shown, so that a pixel of a marker is one of the picture: all that a software renderer has to look up. */
  drawIcons(density: number): void {
    const gl = this.#gl;
    const cell = Math.round(iconBox * density);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.#icons);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, across * cell, rows * cell, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    for (const [index, name] of iconNames.entries()) {
      const picture = drawIcon(name, token, density);
      if (!picture) continue;
      gl.texSubImage2D(gl.TEXTURE_2D, 0, (index % across) * cell, Math.floor(index / across) * cell, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    }
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }

  paint(crowd: Crowd, { middle, scale, size, clock }: Picture): void {
    const gl = this.#gl;
    gl.useProgram(this.#program);
    gl.bindVertexArray(this.#vertices);
    if (this.#version !== crowd.version) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.#numbers);
      gl.bufferData(gl.ARRAY_BUFFER, crowd.data.subarray(0, crowd.size * stride), gl.DYNAMIC_DRAW);
      this.#version = crowd.version;
    }
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, new Uint32Array(crowd.above), gl.DYNAMIC_DRAW);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.#icons);
    gl.uniform2f(this.#places.middle, ...middle);
    gl.uniform2f(this.#places.scale, ...scale);
    gl.uniform1f(this.#places.clock, clock);
    gl.uniform1f(this.#places.size, size);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.drawArrays(gl.POINTS, 0, crowd.size);
    if (crowd.above.length > 0) gl.drawElements(gl.POINTS, crowd.above.length, gl.UNSIGNED_INT, 0);
    gl.bindVertexArray(null);
  }
}

function linked(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(`the crowd's shaders: ${gl.getProgramInfoLog(program)}`);
  return program;
}
