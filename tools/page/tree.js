// The tree of folds: phases, in them scopes, in them runs of equal blocks. Folded, a group is one box.
"use strict";

class Group {
  constructor(parent, name, kind) {
    this.parent = parent;
    this.name = name;
    this.kind = kind; // "root", "phase", "scope", "repeat" (equal blocks one after another) or "block" (one of them)
    this.isGroup = true;
    this.children = [];
    this.open = false;
    this.repeats = 0;
  }

  // Sums over all nodes within; children first.
  finish() {
    Object.assign(this, { count: 0, time: 0, bytes: 0, first: Infinity, critical: false });
    const roleCounts = {}, dtypeCounts = {};
    for (const child of this.children) {
      child.parent = this;
      if (child.isGroup) child.finish();
      this.count += child.isGroup ? child.count : 1;
      this.time += child.time;
      this.bytes += child.bytes;
      this.critical ||= child.critical;
      this.first = Math.min(this.first, child.first);
      const weight = child.isGroup ? child.count : child.leaf ? 0.1 : 1;
      roleCounts[child.role] = (roleCounts[child.role] ?? 0) + weight;
      dtypeCounts[child.dtype] = (dtypeCounts[child.dtype] ?? 0) + weight;
    }
    const most = (counts) => Object.entries(counts).reduce((a, b) => (b[1] > a[1] ? b : a), ["none", 0])[0];
    this.role = most(roleCounts);
    this.dtype = most(dtypeCounts);
  }

  get title() {
    return this.name;
  }

  *nodes() {
    for (const child of this.children)
      if (child.isGroup) yield* child.nodes();
      else yield child;
  }
}

class Tree {
  constructor(model) {
    this.root = new Group(null, "", "root");
    this.root.open = true;
    const known = new Map();
    const scopeOf = (phase, path) => {
      const key = `${phase}\n${path}`;
      if (known.has(key)) return known.get(key);
      const cut = path.lastIndexOf("/");
      const parent = path ? scopeOf(phase, cut < 0 ? "" : path.slice(0, cut)) : this.root;
      const group = new Group(parent, path ? path.slice(cut + 1) : phase, path ? "scope" : "phase");
      parent.children.push(group);
      known.set(key, group);
      return group;
    };
    for (const node of model.nodes) scopeOf(node.phase, node.scope).children.push(node);
    const order = ["forward", "backward", "update"];
    this.root.children.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
    this.signatures = new Map();
    for (const phase of this.root.children) this.tidy(phase);
    this.root.finish();
  }

  // Lifts scopes that hold a single node or scope, and groups repeated blocks.
  tidy(group) {
    group.children = group.children.map((child) => {
      if (!child.isGroup) return child;
      this.tidy(child);
      const only = child.children.length === 1 ? child.children[0] : null;
      if (!only) return child;
      if (only.isGroup) only.name = `${child.name}/${only.name}`;
      return only;
    });
    for (const child of group.children) child.signature = this.signature(child);
    group.children = groupRepeats(group);
  }

  // Equal numbers: the same ops of the same types in the same order.
  signature(item) {
    const text = item.isGroup
      ? "(" + item.children.map((c) => c.signature).join(" ") + ")"
      : `${item.op} ${item.outputs.map((o) => o.type).join(" ")}`;
    if (!this.signatures.has(text)) this.signatures.set(text, this.signatures.size);
    return this.signatures.get(text);
  }

  // Opens groups from the outside in while there are at most `limit` boxes; phases always, but for very long lists.
  foldTo(limit) {
    let boxes = 0;
    const queue = [this.root];
    for (const group of this.groups()) group.open = false;
    while (queue.length) {
      const group = queue.shift();
      const always = group.kind === "root" || (group.kind === "phase" && group.children.length <= 46);
      if (!always && boxes + group.children.length - 1 > limit) continue;
      group.open = true;
      boxes += group.children.length - (group === this.root ? 0 : 1);
      const inside = group.children.filter((c) => c.isGroup);
      queue.push(...inside);
      if (group.kind !== "root") queue.sort((a, b) => this.depth(a) - this.depth(b));
    }
  }

  // Opens all groups whose parents are open.
  unfoldOneLevel() {
    const closed = [...this.groups()].filter((g) => !g.open && this.shown(g) === g);
    for (const group of closed) group.open = true;
  }

  reveal(item) {
    let changed = false;
    for (let group = item.parent; group; group = group.parent) {
      changed ||= !group.open;
      group.open = true;
    }
    return changed;
  }

  // The box that stands for an item: itself, or the outermost folded group around it.
  shown(item) {
    let box = item;
    for (let group = item.parent; group; group = group.parent)
      if (!group.open) box = group;
    return box;
  }

  depth(item) {
    let depth = 0;
    for (let group = item.parent; group; group = group.parent) ++depth;
    return depth;
  }

  *groups(of = this.root) {
    yield of;
    for (const child of of.children) if (child.isGroup) yield* this.groups(child);
  }
}

// Finds stretches of children that repeat at once (a b c a b c) and makes one group of each, with a block for each
// repetition. At most `longest` children a block; linear in the children for a fixed `longest`.
function groupRepeats(group, longest = 48) {
  const items = group.children, out = [];
  for (let i = 0; i < items.length; ) {
    let best = { period: 0, times: 1 };
    for (let period = 1; period <= longest && i + 2 * period <= items.length; ++period) {
      let equal = 0;
      while (i + period + equal < items.length && items[i + equal].signature === items[i + period + equal].signature)
        ++equal;
      const times = Math.floor(equal / period) + 1;
      if (times > 1 && times * period > best.times * best.period) best = { period, times };
    }
    const { period, times } = best;
    const size = items.slice(i, i + period).reduce((sum, c) => sum + (c.isGroup ? 2 : 1), 0);
    if (times < 2 || size * times < 8) {
      out.push(items[i++]);
      continue;
    }
    const repeat = new Group(group, nameOfRepeat(items.slice(i, i + period * times), period), "repeat");
    repeat.repeats = times;
    for (let t = 0; t < times; ++t, i += period) {
      const block = items.slice(i, i + period);
      if (period === 1) {
        repeat.children.push(block[0]);
        continue;
      }
      const one = new Group(repeat, `block ${t + 1}`, "block");
      one.children = block;
      repeat.children.push(one);
    }
    out.push(repeat);
  }
  return out;
}

function nameOfRepeat(items, period) {
  const [first, last] = [items[0], items.at(-1)];
  if (period > 1) return `block × ${items.length / period}`;
  const short = (group) => group.name.split("/")[0];
  return first.isGroup ? `${short(first)} … ${short(last)}` : `${first.op} × ${items.length}`;
}
