// The graph on its canvas: draws what the window shows, in as much detail as its size on the screen allows, and says
// what lies under the pointer.
"use strict";

const sans = 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif';
const mono = 'ui-monospace, "DejaVu Sans Mono", monospace';
// Edges across phases are dashed up to this length: browsers cut dashes of all of a curve, also of what is out of sight.
const dashed = 2000;

// Makes a canvas as fine as the screen; returns its size in CSS pixels.
function sharpen(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height, ratio };
}

class View {
  constructor(canvas, colours) {
    this.canvas = canvas;
    this.colours = colours;
    this.scene = { boxes: [], frames: [], edges: [], width: 0, height: 0 };
    Object.assign(this, { zoom: 1, x: 0, y: 0, selected: null, hovered: null, pending: false });
    this.found = this.linked = new Set();
    this.fitted = true; // until the reader moves or zooms: then the window's size no longer does
  }

  fit() {
    const { width, height } = this.canvas.getBoundingClientRect();
    const room = 20, legend = document.getElementById("legend").offsetHeight + 12;
    this.zoom = Math.min(1.25, (width - 2 * room) / (this.scene.width || 1),
                         (height - 2 * room - legend) / (this.scene.height || 1));
    this.x = (width - this.scene.width * this.zoom) / 2;
    this.y = (height - legend - this.scene.height * this.zoom) / 2;
    this.fitted = true;
    this.redraw();
  }

  zoomAt(factor, px, py) {
    const zoom = Math.min(4, Math.max(0.01, this.zoom * factor));
    this.x = px - ((px - this.x) * zoom) / this.zoom;
    this.y = py - ((py - this.y) * zoom) / this.zoom;
    this.zoom = zoom;
    this.fitted = false;
    this.redraw();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
    this.redraw();
  }

  // Moves only where the item is out of sight or too small to read.
  show(item) {
    const { width, height } = this.canvas.getBoundingClientRect();
    const small = this.zoom < 0.55;
    if (small) this.zoomAt(0.9 / this.zoom, 0, 0);
    const px = (item.left + item.w / 2) * this.zoom + this.x, py = (item.top + item.h / 2) * this.zoom + this.y;
    if (small || px < 90 || px > width - 90) this.x += width / 2 - px;
    if (small || py < 50 || py > height - 70) this.y += height / 2 - py;
    this.fitted = false;
    this.redraw();
  }

  at(px, py) {
    const x = (px - this.x) / this.zoom, y = (py - this.y) / this.zoom;
    const inside = (b, h) => x >= b.left && x <= b.left + b.w && y >= b.top && y <= b.top + h;
    const box = this.scene.boxes.findLast((b) => inside(b, b.h));
    return box ?? this.scene.frames.findLast((f) => inside(f, space.title)) ?? null;
  }

  redraw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.draw();
    });
  }

  draw() {
    const began = performance.now();
    const { context, width, height, ratio } = sharpen(this.canvas);
    this.context = context;
    this.window = { left: -this.x / this.zoom, top: -this.y / this.zoom, right: (width - this.x) / this.zoom,
                    bottom: (height - this.y) / this.zoom };
    context.setTransform(ratio * this.zoom, 0, 0, ratio * this.zoom, ratio * this.x, ratio * this.y);
    for (const frame of this.scene.frames) if (this.visible(frame)) this.drawFrame(frame);
    this.drawEdges();
    for (const box of this.scene.boxes) if (this.visible(box)) this.drawBox(box);
    for (const frame of this.scene.frames) if (this.visible(frame)) this.drawFrameTitle(frame);
    this.drawn = performance.now() - began;
  }

  visible(box) {
    const w = this.window;
    return box.left < w.right && box.left + box.w > w.left && box.top < w.bottom && box.top + box.h > w.top;
  }

  drawFrame(frame) {
    const c = this.context, { theme } = this.colours;
    c.beginPath();
    c.roundRect(frame.left, frame.top, frame.w, frame.h, 10);
    c.fillStyle = frame.kind === "phase" ? theme.frame : theme.inner;
    c.fill();
    c.lineWidth = (frame === this.selected ? 2.5 : 1) / Math.min(1, this.zoom);
    c.strokeStyle = frame === this.selected ? theme.accent : theme.line;
    c.stroke();
  }

  // Legible from afar: a title keeps its size on the screen while its frame has the room.
  drawFrameTitle(frame) {
    const size = Math.min(13 / Math.min(1, this.zoom), 19);
    if (size * this.zoom < 8 || frame.w * this.zoom < 50) return;
    const c = this.context, { theme } = this.colours;
    c.font = `600 ${size}px ${sans}`;
    c.fillStyle = frame === this.hovered ? theme.accent : frame.kind === "phase" ? theme[frame.name] : theme.dim;
    c.textBaseline = "middle";
    c.fillText(this.clipped(`▾ ${frame.title}`, frame.w - 24), frame.left + 12, frame.top + space.title / 2 + 1);
  }

  drawEdges() {
    const c = this.context, { theme } = this.colours, w = this.window, box = this.selected?.box;
    const plain = new Path2D(), cross = new Path2D(), far = new Path2D(), lit = [];
    const straight = this.zoom < 0.18;
    let count = 0;
    for (const edge of this.scene.edges) {
      if (edge.left > w.right || edge.right < w.left || edge.top > w.bottom || edge.bottom < w.top) continue;
      if (box && (edge.from === box || edge.to === box)) lit.push(edge);
      const p = edge.curve;
      const path = !edge.cross ? plain : straight || edge.right - edge.left + edge.bottom - edge.top > dashed ? far : cross;
      path.moveTo(p[0], p[1]);
      if (straight) path.lineTo(p[6], p[7]);
      else path.bezierCurveTo(p[2], p[3], p[4], p[5], p[6], p[7]);
      ++count;
    }
    c.lineWidth = Math.max(1.2, 0.7 / this.zoom);
    c.strokeStyle = theme.edge;
    const strength = (box ? 0.45 : 1) * Math.min(1, Math.sqrt(300 / count)); // thousands would hide all else
    c.globalAlpha = 0.75 * strength;
    c.stroke(plain);
    c.globalAlpha = 0.4 * strength;
    c.stroke(far);
    c.setLineDash([6, 5]);
    c.stroke(cross);
    c.setLineDash([]);
    c.globalAlpha = 1;
    for (const edge of lit) this.drawLit(edge, edge.to === box ? theme.input : theme.backward);
  }

  // An edge of the selection, with its head: what it reads comes in the one colour, who reads it in the other.
  drawLit(edge, colour) {
    const c = this.context, p = edge.curve;
    c.strokeStyle = c.fillStyle = colour;
    c.lineWidth = Math.max(2, 1.4 / this.zoom);
    c.beginPath();
    c.moveTo(p[0], p[1]);
    c.bezierCurveTo(p[2], p[3], p[4], p[5], p[6], p[7]);
    c.stroke();
    const angle = Math.atan2(p[7] - p[5], p[6] - p[4]), r = Math.max(8, 5 / this.zoom);
    c.beginPath();
    c.moveTo(p[6], p[7]);
    for (const turn of [-0.4, 0.4]) c.lineTo(p[6] - r * Math.cos(angle + turn), p[7] - r * Math.sin(angle + turn));
    c.fill();
  }

  drawBox(box) {
    const c = this.context, colour = this.colours.of(box), { theme } = this.colours;
    const high = box.h * this.zoom;
    if (high < 7) {
      c.fillStyle = colour.solid;
      c.fillRect(box.left, box.top, box.w, box.h);
      if (box === this.selected?.box || this.found.has(box)) this.outline(box);
      return;
    }
    c.fillStyle = colour.fill;
    if (box.isGroup) this.stacked(box, colour);
    const radius = box.leaf ? box.h / 2 : 7;
    c.beginPath();
    c.roundRect(box.left, box.top, box.w, box.h, radius);
    c.fill();
    c.lineWidth = 1;
    c.strokeStyle = box === this.hovered ? theme.text : colour.border;
    c.stroke();
    if (box.outputNames?.length) {
      c.beginPath();
      c.roundRect(box.left + 3, box.top + 3, box.w - 6, box.h - 6, radius - 3);
      c.stroke();
    }
    if (box.critical) {
      c.fillStyle = theme.mark;
      c.fillRect(box.left + 8, box.top + box.h - 3, box.w - 16, 2);
    }
    if (high > (box.leaf ? 10 : 13)) this.drawText(box, colour);
    if (box === this.selected?.box || this.found.has(box) || this.linked.has(box)) this.outline(box);
  }

  stacked(box, colour) {
    const c = this.context, { theme } = this.colours;
    c.beginPath();
    c.roundRect(box.left + 4, box.top + 4, box.w, box.h, 7);
    c.fillStyle = mix(theme.back, colour.solid, 0.2);
    c.fill();
    c.strokeStyle = colour.border;
    c.lineWidth = 1;
    c.stroke();
    c.fillStyle = colour.fill;
  }

  drawText(box, colour) {
    const c = this.context, left = box.left + 13, room = box.w - 24;
    c.textBaseline = "middle";
    c.fillStyle = colour.text;
    if (box.leaf) {
      c.font = `500 12px ${sans}`;
      const title = this.clipped(box.title, room);
      const middle = box.top + box.h / 2 + 0.5;
      c.fillText(title, left, middle);
      const used = c.measureText(title).width + 8;
      c.font = `10.5px ${mono}`;
      c.fillStyle = colour.dim;
      if (room - used > 30) c.fillText(this.clipped(box.subtitle, room - used), left + used, middle);
      return;
    }
    c.font = `600 13px ${sans}`;
    c.fillText(this.clipped(box.isGroup ? `▸ ${box.title}` : box.title, room), left, box.top + box.h * 0.34);
    c.font = `10.5px ${mono}`;
    c.fillStyle = colour.dim;
    c.fillText(this.clipped(box.isGroup ? box.small : box.subtitle, room), left, box.top + box.h * 0.72);
  }

  outline(box) {
    const c = this.context, { theme } = this.colours;
    const selected = box === this.selected?.box;
    c.strokeStyle = selected ? theme.accent : theme.mark;
    c.lineWidth = Math.max(2.5, 2 / this.zoom);
    if (!selected && this.linked.has(box)) c.setLineDash([5, 4]);
    c.beginPath();
    c.roundRect(box.left - 3, box.top - 3, box.w + 6, box.h + 6, box.leaf ? box.h / 2 + 3 : 9);
    c.stroke();
    c.setLineDash([]);
  }

  clipped(text, room) {
    const c = this.context;
    if (text.length * 9 < room || c.measureText(text).width <= room) return text;
    let keep = Math.floor((text.length * room) / c.measureText(text).width);
    while (keep > 1 && c.measureText(text.slice(0, keep) + "…").width > room) --keep;
    return text.slice(0, keep) + "…";
  }
}
