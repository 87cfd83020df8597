// The graph as the page holds it: what `oxbow dump --format json` says, with the links in both directions.
"use strict";

const leafRoles = ["input", "variable", "constant"];
const roles = [...leafRoles, "forward", "backward", "update"];

class Model {
  constructor(json) {
    this.plan = json.plan ?? null;
    this.nodes = json.nodes.map((n) => new GraphNode(n));
    this.outputs = json.outputs ?? [];
    for (const node of this.nodes) {
      for (const [port, input] of node.inputs.entries())
        this.nodes[input.node].readers.push({ node: node.id, port, output: input.output });
      if (node.for !== undefined && this.nodes[node.for]) this.nodes[node.for].backward.push(node.id);
    }
    for (const { name, node } of this.outputs) this.nodes[node].outputNames.push(name);
    this.timed = "none";
    if (this.plan) this.readPlan();
    this.phases = ["forward", "backward", "update"].filter((p) => this.nodes.some((n) => n.phase === p));
    this.dtypes = [...new Set(this.nodes.map((n) => n.dtype))].sort();
  }

  readPlan() {
    const { steps, values } = this.plan;
    this.timed = steps.some((s) => s.measured_ns !== undefined) ? "measured" : "estimated";
    for (const [index, step] of steps.entries()) {
      step.ns = step.measured_ns ?? Number(step.cost_ns) ?? 0;
      if (step.node < 0) continue;
      const node = this.nodes[step.node];
      node.steps.push(index);
      node.time += step.ns;
      node.critical ||= step.critical;
    }
    for (const [index, value] of values.entries()) {
      value.index = index;
      this.nodes[value.node].values[value.output] = value;
    }
  }

  // The nodes that match all words. A word is looked for in name, op, scope, types and file:line; "op:", "name:",
  // "shape:" and "line:" ask for one of them.
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
  }

  get title() {
    return this.leaf && this.name ? this.name : this.op;
  }
  get subtitle() {
    return this.outputs.map((o) => o.type).join("  ");
  }
  get place() {
    return this.at ? `${this.at.file}:${this.at.line}` : "";
  }

  searched(field) {
    this.searchText ??= {
      op: this.op.toLowerCase(),
      name: this.full_name.toLowerCase(),
      shape: this.outputs.map((o) => `${o.type} ${o.type.replaceAll(" ", "")}`).join(" ").toLowerCase(),
      line: this.place.toLowerCase(),
    };
    this.searchText.all ??= Object.values(this.searchText).join("\n") + "\n" + this.scope.toLowerCase();
    return this.searchText[field];
  }
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
