// Where boxes stand. A group's children stand in rows by their longest way from a source, ordered by their neighbours'
// middles; open groups are boxes around their own rows. Forward flows down, backward beside it up again, updates stand
// on their right. Linear in what is shown, apart from sorting rows.
"use strict";

const space = { x: 22, y: 28, pad: 16, title: 30, column: 90 };

// Lays out all that is shown; returns { boxes, frames, edges, width, height } with absolute places.
function layOut(model, tree) {
  const scene = { boxes: [], frames: [], edges: [] };
  collect(tree.root, null, scene);
  connect(model, scene);
  placeColumns(tree.root);
  place(tree.root, 0, 0, scene);
  for (const edge of scene.edges) route(edge);
  scene.width = tree.root.w;
  scene.height = tree.root.h;
  return scene;
}

// Marks what stands for each node, and measures the closed boxes.
function collect(item, within, scene) {
  item.box = within ?? item;
  item.within = [];
  if (within) {
    if (item.isGroup) for (const child of item.children) collect(child, within, scene);
  } else if (item.isGroup && item.open) {
    item.inner = new Map();
    for (const child of item.children) collect(child, null, scene);
  } else {
    measure(item);
    if (item.isGroup) for (const child of item.children) collect(child, item, scene);
  }
}

function measure(item) {
  const width = (title, small) => Math.max(title.length * 8.2, small.length * 6.3) + 36;
  if (item.isGroup) {
    item.small = (item.repeats ? `${item.repeats} equal, ` : "") + `${formatCount(item.count)} nodes`;
    item.w = Math.min(250, Math.max(130, width(item.title, item.small) + 24));
    item.h = 48;
  } else if (item.leaf) {
    item.w = Math.min(250, Math.max(70, item.title.length * 7 + item.subtitle.length * 6.3 + 38));
    item.h = 26;
  } else {
    item.w = Math.min(250, Math.max(110, width(item.title, item.subtitle)));
    item.h = 44;
  }
}

// One edge for all values between two boxes; each is also an edge between two children of the innermost group that
// holds both, which is what rows are made of.
function connect(model, scene) {
  const seen = new Map();
  for (const node of model.nodes)
    for (const input of node.inputs) {
      const from = model.nodes[input.node].box, to = node.box;
      if (from === to) continue;
      const key = from.first + to.first * 2 ** 26; // boxes share no node
      const known = seen.get(key);
      if (known) {
        ++known.count;
        continue;
      }
      const edge = { from, to, count: 1, cross: model.nodes[input.node].phase !== node.phase };
      seen.set(key, edge);
      scene.edges.push(edge);
      const path = new Map();
      let a = from, b = to;
      for (; a.parent; a = a.parent) path.set(a.parent, a);
      while (!path.has(b.parent)) b = b.parent;
      if (path.get(b.parent) !== b) b.within.push(path.get(b.parent));
    }
}

// The root: a column for each phase.
function placeColumns(root) {
  let x = 0, height = 0;
  for (const phase of root.children) {
    if (phase.open) placeRows(phase, phase.name === "backward");
    phase.x = x;
    x += phase.w + space.column;
    height = Math.max(height, phase.h);
  }
  for (const phase of root.children) phase.y = phase.name === "backward" ? height - phase.h : 0;
  root.w = Math.max(0, x - space.column);
  root.h = height;
}

function placeRows(group, upwards) {
  const items = [...group.children].sort((a, b) => a.first - b.first);
  for (const item of items) if (item.isGroup && item.open) placeRows(item, upwards);
  const rows = rowsOf(items);
  const area = items.reduce((sum, i) => sum + (i.w + space.x) * (i.h + space.y), 0);
  const allLines = rows.flatMap((row) => wrap(row, Math.max(620, Math.sqrt(area) * 1.3)));
  for (const line of allLines) order(line, (item) => item.above);
  for (const line of [...allLines].reverse()) order(line, (item) => item.below);
  for (const line of allLines) order(line, (item) => item.above);
  if (upwards) allLines.reverse();
  let right = 0, bottom = 0;
  for (const lines of columnsOf(allLines)) {
    const left = Math.min(...lines.flat().map((i) => i.x));
    const shift = right + space.pad - left;
    let y = space.title;
    for (const line of lines) {
      const height = Math.max(...line.map((i) => i.h));
      for (const item of line) {
        item.y = y + (height - item.h) / 2;
        item.x += shift;
        right = Math.max(right, item.x + item.w);
      }
      y += height + space.y;
    }
    right += space.pad;
    bottom = Math.max(bottom, y - space.y + space.pad);
  }
  group.w = Math.max(right, group.title.length * 8 + 60);
  group.h = bottom;
}

// A long chain is broken into columns, so that a group is not much higher than wide.
function columnsOf(lines) {
  const heights = lines.map((line) => Math.max(...line.map((i) => i.h)) + space.y);
  const height = heights.reduce((a, b) => a + b, 0);
  const items = lines.flat();
  const width = Math.max(...items.map((i) => i.x + i.w)) - Math.min(...items.map((i) => i.x)) + space.pad;
  const count = height < 1800 ? 1 : Math.max(1, Math.round(Math.sqrt(height / (1.4 * width))));
  const columns = [[]];
  let used = 0;
  for (const [i, line] of lines.entries()) {
    if (used >= height / count && columns.at(-1).length) {
      columns.push([]);
      used = 0;
    }
    columns.at(-1).push(line);
    used += heights[i];
  }
  return columns;
}

// Rows by longest way; what has no source within the group stands just before its first reader.
function rowsOf(items) {
  for (const item of items) Object.assign(item, { row: 0, above: [], below: [], x: 0 });
  for (const item of items)
    for (const from of new Set(item.within)) {
      if (from.first >= item.first) continue; // groups may depend on each other both ways: the later one gives in
      item.above.push(from);
      from.below.push(item);
      item.row = Math.max(item.row, from.row + 1);
    }
  for (const item of items)
    if (!item.above.length && item.below.length) item.row = Math.max(0, Math.min(...item.below.map((b) => b.row)) - 1);
  const rows = [];
  for (const item of items) (rows[item.row] ??= []).push(item);
  return rows.filter(Boolean);
}

function wrap(row, limit) {
  const lines = [];
  let width = Infinity;
  for (const item of row) {
    if (width + item.w > limit) {
      lines.push([]);
      width = 0;
    }
    lines.at(-1).push(item);
    width += item.w + space.x;
  }
  return lines;
}

// Sorts a row by where its neighbours' middles are, and puts its boxes as near to there as they go.
function order(line, neighbours) {
  for (const item of line) {
    const near = neighbours(item);
    item.wish = near.length ? near.reduce((sum, n) => sum + n.x + n.w / 2, 0) / near.length : item.x + item.w / 2;
  }
  line.sort((a, b) => a.wish - b.wish || a.first - b.first);
  let end = -Infinity, off = 0;
  for (const item of line) {
    item.x = Math.max(item.wish - item.w / 2, end);
    end = item.x + item.w + space.x;
    off += item.x + item.w / 2 - item.wish;
  }
  for (const item of line) item.x -= off / line.length;
}

// From places within groups to places in the picture.
function place(item, x, y, scene) {
  item.left = x + (item.x ?? 0);
  item.top = y + (item.y ?? 0);
  if (item.kind === "root") [item.left, item.top] = [0, 0];
  if (!item.isGroup || !item.open) {
    scene.boxes.push(item);
    return;
  }
  if (item.kind !== "root") scene.frames.push(item);
  for (const child of item.children) place(child, item.left, item.top, scene);
}

// A curve from one box's side to the other's: downwards, upwards or, between columns and neighbours, sideways.
function route(edge) {
  const { from: a, to: b } = edge;
  const [ax, bx] = [a.left + a.w / 2, b.left + b.w / 2];
  const apart = Math.abs(ax - bx) > 600 && Math.abs(a.top - b.top) > 600; // another column of a long chain
  if (!edge.cross && !apart && (b.top >= a.top + a.h || b.top + b.h <= a.top)) {
    const down = b.top >= a.top + a.h;
    const [y1, y2] = down ? [a.top + a.h, b.top] : [a.top, b.top + b.h];
    const bend = Math.min(60, Math.abs(y2 - y1) * 0.5) * (down ? 1 : -1);
    edge.curve = [ax, y1, ax, y1 + bend, bx, y2 - bend, bx, y2];
  } else {
    const right = bx >= ax;
    const [x1, x2] = right ? [a.left + a.w, b.left] : [a.left, b.left + b.w];
    const [y1, y2] = [a.top + a.h / 2, b.top + b.h / 2];
    const bend = Math.max(30, Math.abs(x2 - x1) * 0.4) * (right ? 1 : -1);
    edge.curve = [x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2];
  }
  const c = edge.curve;
  edge.left = Math.min(c[0], c[2], c[4], c[6]);
  edge.right = Math.max(c[0], c[2], c[4], c[6]);
  edge.top = Math.min(c[1], c[3], c[5], c[7]);
  edge.bottom = Math.max(c[1], c[3], c[5], c[7]);
}
