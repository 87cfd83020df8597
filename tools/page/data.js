// The graph as the page holds it: what `oxbow dump --format json` says, with the links in both directions.
"use strict";

const leafRoles = ["input", "variable", "constant"];
const roles = [...leafRoles, "forward", "backward", "update"];

class Model {
  constructor(json) {
    this.plan = json.plan ?? null;
    this.nodes = json.nodes.map((n) => new GraphNode({ ...n, inputs: n.inputs.filter((i) => i) })); // without absent ones
    this.outputs = json.outputs ?? [];
    for (const node of this.nodes) {
      for (const [port, input] of node.inputs.entries())
        this.nodes[input.node].readers.push({ node: node.id, port, output: input.output });
      if (node.for !== undefined && this.nodes[node.for]) this.nodes[node.for].backward.push(node.id);
    }
    for (const { name, node, output } of this.outputs) {
      this.nodes[node].outputNames.push(name);
      // Numbers are names that nobody gave.
      if (!/^\d+$/.test(name)) this.nodes[node].call(output, name);
    }
    this.timed = "none";
    if (this.plan) this.readPlan();
    this.phases = ["forward", "backward", "update"].filter((p) => this.nodes.some((n) => n.phase === p));
    this.dtypes = [...new Set(this.nodes.map((n) => n.dtype))].sort();
  }

  readPlan() {
    const { steps, values, measured_critical_ns } = this.plan;
    const measured = measured_critical_ns !== undefined;
    this.longest = { ns: Number(measured_critical_ns ?? this.plan.critical_ns), timed: measured ? "measured" : "estimated" };
    this.timed = steps.some((s) => s.measured_ns !== undefined) ? "measured" : "estimated";
    for (const [index, step] of steps.entries()) {
      step.ns = step.measured_ns ?? Number(step.cost_ns) ?? 0;
      if (step.node < 0) continue;
      const node = this.nodes[step.node];
      node.steps.push(index);
      node.time += step.ns;
      node.critical ||= measured ? !!step.measured_critical : step.critical;
    }
    for (const [index, value] of values.entries()) {
      value.index = index;
      const node = this.nodes[value.node];
      node.values[value.output] = value;
      // What the user called it in the graph as built, also where a rewrite made the node.
      for (const name of (value.name ?? "").split(", ").filter(Boolean)) node.call(value.output, name);
    }
  }

  // The nodes that match all words. A word is looked for in names (also those of outputs), ops (also those that a node
  // is made of), scope, types and file:line; "op:", "name:", "shape:" and "line:" ask for one of them.
  search(query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    const tests = words.map((word) => {
      const [, field, rest] = /^(op|name|shape|line):(.+)$/.exec(word) ?? [];
      return field ? (node) => node.searched(field).includes(rest) : (node) => node.searched("all").includes(word);
    });
    return this.nodes.filter((node) => tests.every((test) => test(node)));
  }
}

class GraphNode {
  constructor(json) {
    Object.assign(this, json);
    this.readers = [];
    this.backward = [];
    this.outputNames = [];
    this.names = this.outputs.map(() => []); // of each result, those that a user gave: as built, and as an output
    this.made = opsIn(this.attributes);
    if (this.made.length && this.op !== "fused") this.made.unshift(this.op);
    this.steps = [];
    this.values = [];
    this.time = 0;
    this.critical = false;
    this.bytes = this.outputs.reduce((sum, o) => sum + Math.max(0, o.bytes), 0);
    this.dtype = this.outputs[0]?.dtype ?? "none";
    this.role = leafRoles.includes(this.op) ? this.op : this.phase;
    this.leaf = leafRoles.includes(this.op);
    // For the tree of folds: a node is an item as a group is.
    this.parent = null;
    this.isGroup = false;
    this.first = this.id;
    if (this.name) this.call(0, this.full_name);
  }

  call(output, name) {
    if (this.names[output] && !this.names[output].includes(name)) this.names[output].push(name);
  }

  // What a box says: the user's names, without the node's scope, which frames show; else what it computes.
  get title() {
    this.label ??= this.called(this.names.flat()) || this.computes;
    return this.label;
  }
  // The same of one of several results.
  titleOf(output) {
    return this.called(this.names[output] ?? []) || this.title;
  }
  called(names) {
    const scope = this.scope + "/";
    return [...new Set(names.map((n) => (n.startsWith(scope) ? n.slice(scope.length) : n)))].join(", ");
  }
  // "add"; of an op that others were fused into, these: "product, add, relu and 2 more".
  get computes() {
    const most = 3, more = this.made.length - most;
    if (!this.made.length) return this.op;
    return this.made.slice(0, most).join(", ") + (more > 0 ? ` and ${more} more` : "");
  }
  get subtitle() {
    const types = this.outputs.map((o) => o.type).join("  ");
    return this.leaf || this.title === this.computes ? types : `${this.computes}  ${types}`;
  }
  get place() {
    return this.at ? `${this.at.file}:${this.at.line}` : "";
  }

  searched(field) {
    this.searchText ??= {
      op: [this.op, ...this.made].join("\n").toLowerCase(),
      name: [this.full_name, ...this.names.flat(), ...this.outputNames].join("\n").toLowerCase(),
      shape: this.outputs.map((o) => `${o.type} ${o.type.replaceAll(" ", "")}`).join(" ").toLowerCase(),
      line: this.place.toLowerCase(),
    };
    this.searchText.all ??= Object.values(this.searchText).join("\n") + "\n" + this.scope.toLowerCase();
    return this.searchText[field];
  }
}

// The ops that the tapes and reductions among a node's attributes are made of, in order.
function opsIn(value) {
  if (Array.isArray(value)) return value.flatMap(opsIn);
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, v]) => (key === "op" && typeof v === "string" ? [v] : opsIn(v)));
}

// Numbers do not part from their units at a line's end.
const formatBytes = (n) => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; n >= 1024 && unit < units.length - 1; ++unit) n /= 1024;
  return `${unit && n < 100 ? n.toFixed(1) : Math.round(n)}\u00a0${units[unit]}`;
};

const formatTime = (ns) => {
  const units = ["ns", "µs", "ms", "s"];
  let unit = 0;
  for (; ns >= 1000 && unit < units.length - 1; ++unit) ns /= 1000;
  return `${unit && ns < 100 ? ns.toFixed(1) : Math.round(ns)}\u00a0${units[unit]}`;
};

const formatCount = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
