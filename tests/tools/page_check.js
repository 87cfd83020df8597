// Uses the page of `oxbow dump --format html` as a reader does; test_tools_page.cpp puts it at the page's end and reads
// what it says: data-failed (each failure a line), data-checks (how many were made), data-interactive (milliseconds
// from opening to the first picture), data-names (of how many nodes names were looked for) and data-first-theme.
"use strict";
{
  app.view.draw();
  const root = document.documentElement;
  root.dataset.interactive = Math.round(performance.now());
  root.dataset.firstTheme = root.dataset.theme;
  const failed = [];
  let checks = 0;
  const check = (what, good, seen = "") => {
    ++checks;
    if (!good) failed.push(`${what}: ${seen}`);
  };
  const equal = (what, a, b) => check(what, a === b, `${a} is not ${b}`);
  const press = (key, target = document.body) =>
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const details = () => document.getElementById("details").textContent;
  const { model, tree, view } = app, nodes = model.nodes;

  // The first view: few boxes, within the window, none over another.
  const boxes = view.scene.boxes, canvas = view.canvas.getBoundingClientRect();
  check("first boxes", boxes.length > 0 && boxes.length <= 60, boxes.length);
  check("fits", view.scene.width * view.zoom <= canvas.width && view.scene.height * view.zoom <= canvas.height,
        `${view.scene.width} x ${view.scene.height} at ${view.zoom}`);
  const overlapping = (scene) => {
    const sorted = [...scene.boxes].sort((a, b) => a.top - b.top);
    return sorted.some((a, i) => {
      for (let j = i + 1; j < sorted.length && sorted[j].top < a.top + a.h; ++j)
        if (a.left < sorted[j].left + sorted[j].w && sorted[j].left < a.left + a.w) return true;
      return false;
    });
  };
  check("no box over another", !overlapping(view.scene));

  // Every node is one box or within one.
  const within = new Map();
  for (const node of nodes) within.set(node.box, (within.get(node.box) ?? 0) + 1);
  equal("nodes in boxes", [...within.entries()].every(([b, n]) => n === (b.isGroup ? b.count : 1)), true);
  equal("boxes used", within.size, boxes.length);

  // Search, by each field, and going to what was found.
  const read = nodes.filter((n) => n.readers.length && n.outputs.length), some = read.findLast((n) => n.inputs.length) ?? read.at(-1);
  const search = document.getElementById("search");
  const find = (query) => {
    search.value = query;
    search.dispatchEvent(new Event("input"));
    return app.found ?? [];
  };
  check("by name", find(`name:${some.full_name}`).includes(some));
  const has = (n, op) => n.op.includes(op) || new RegExp(`"op":"[^"]*${op}`).test(JSON.stringify(n.attributes));
  equal("by op", find(`op:${some.op}`).every((n) => has(n, some.op)) && app.found.length > 0, true);
  const fused = nodes.find((n) => n.attributes.tape?.steps?.length);
  if (fused) check("by an op that was fused", find(`op:${fused.attributes.tape.steps[0].op}`).includes(fused));
  const spaced = nodes.find((n) => n.outputs[0]?.type.includes(", ")) ?? some;
  check("by shape", find(`shape:${spaced.outputs[0].type.replaceAll(" ", "")}`).includes(spaced));
  check("by shape, in two words", find(`shape:${spaced.outputs[0].type}`).includes(spaced));
  equal("all words match", find(`op:${some.op} name:no-such-name`).length, 0);
  if (some.at) check("by line", find(`line:${some.place}`).includes(some));
  equal("nothing", find("no such thing").length, 0);
  check("says so", document.getElementById("results").textContent.startsWith("Nothing found"));
  find(some.full_name);
  press("Enter", search);
  equal("enter selects", app.selected, app.found[0]);
  check("and shows", app.found[0].box === app.found[0]);
  find(`op:${some.op}`);
  press("ArrowDown", search);
  press("ArrowDown", search);
  press("ArrowUp", search);
  equal("arrows step through what is found", app.selected, app.found[0]);
  press("Escape", search);
  equal("escape ends the search", app.found, null);

  // The names that users gave to nodes and outputs are found, and stand on the boxes.
  const data = JSON.parse(document.getElementById("data").textContent), given = new Map();
  const called = (id, name) => given.set(id, [...(given.get(id) ?? []), name]);
  for (const n of data.nodes) if (n.name) called(n.id, n.full_name);
  for (const o of data.outputs) if (!/^\d+$/.test(o.name)) called(o.node, o.name);
  for (const v of data.plan?.values ?? []) if (v.name) called(v.node, v.name);
  const most = 40; // nodes, of a large net
  for (const [id, names] of [...given].slice(0, most)) {
    for (const name of names) check("a user's name is found", find(`name:${name}`).includes(nodes[id]), name);
    find("");
    app.goTo(nodes[id]);
    view.fitted = false;
    view.zoom = 1;
    view.show(nodes[id]);
    const drawn = [], own = (name) => (name.startsWith(`${nodes[id].scope}/`) ? name.slice(nodes[id].scope.length + 1) : name);
    view.context.fillText = (text) => drawn.push(text);
    view.draw();
    delete view.context.fillText;
    const on = (name) => drawn.some((t) => t.includes(name) || (t.endsWith("…") && name.startsWith(t.slice(0, -1))));
    check("a user's name stands on the box", names.length === 1 ? on(own(names[0])) : names.some((n) => on(own(n))),
          `${names} not among ${drawn}`);
  }
  root.dataset.names = Math.min(most, given.size);
  find("");
  app.select(null);
  press("[");

  // What is selected shows its inputs and readers, and following an edge arrives there.
  app.goTo(some);
  const shown = new Set([...document.querySelectorAll("#details button[data-node]")].map((b) => +b.dataset.node));
  check("shows readers and inputs", [...some.readers, ...some.inputs].every((r) => shown.has(r.node)));
  const raw = JSON.parse(document.getElementById("data").textContent).nodes;
  const readers = raw.filter((n) => n.inputs.some((i) => i.node === some.id)).map((n) => n.id);
  check("shows all readers", readers.length > 0 && readers.every((id) => shown.has(id)), readers);
  const among = (links) => links.some((l) => nodes[l.node].box === app.selected);
  press("ArrowUp");
  if (some.inputs.length) check("up is an input", among(some.inputs), app.selected.title);
  app.goTo(some);
  press("ArrowDown");
  check("down is a reader", among(some.readers), app.selected.title);
  app.goTo(some);
  const place = view.at((some.left + some.w / 2) * view.zoom + view.x, (some.top + some.h / 2) * view.zoom + view.y);
  equal("what lies under the pointer", place, some);
  const backward = nodes.find((n) => n.for !== undefined);
  if (backward) {
    app.goTo(backward);
    press("b");
    equal("to forward", app.selected.id, backward.for);
    press("b");
    equal("and back", app.selected.for, nodes[backward.for].id);
    press("[");
    const folded = view.scene.boxes.find((b) => b.isGroup && app.linked(b).some((n) => n.box !== b));
    if (folded) {
      app.select(folded);
      press("b");
      const pair = [folded, app.selected].map((g) => new Set(g.isGroup ? g.nodes() : [g]));
      check("from a group to what belongs to it", app.selected !== folded && app.linked(folded).some((n) => pair[1].has(n)));
    }
  }

  // A folded group lists the boxes at its lit edges' other ends.
  press("[");
  const closed = view.scene.boxes.find((b) => b.isGroup && view.scene.edges.some((e) => e.to === b));
  if (closed) {
    app.select(closed);
    const ends = view.scene.edges.filter((e) => e.from === closed || e.to === closed).length;
    const inside = Math.min(60, closed.children.length);
    equal("a group's neighbours", document.querySelectorAll("#details li").length, Math.min(120, ends) + inside);
  }

  // Folding hides what is inside, unfolding shows it.
  const group = view.scene.frames.find((f) => f.kind !== "phase") ?? view.scene.frames[0];
  const inner = [...group.nodes()];
  app.select(group);
  press("Enter");
  check("folded", inner.every((n) => n.box === group) && view.scene.boxes.includes(group));
  press("Enter");
  check("unfolded", inner.every((n) => n.box !== group) && view.scene.frames.includes(group));
  press("[");
  equal("the first view again", view.scene.boxes.length, boxes.length);
  for (let round = 0; round < 20 && view.scene.boxes.length < nodes.length; ++round) press("]");
  equal("all unfolded", view.scene.boxes.length, nodes.length);
  check("none over another, unfolded", !overlapping(view.scene));
  view.draw();
  press("[");

  // Edges across phases are dashed, but for the long ones, which would make browsers stutter.
  app.select(null);
  for (let round = 0; round < 20 && view.scene.boxes.length < nodes.length; ++round) press("]");
  const whole = Path2D, { setLineDash, stroke } = CanvasRenderingContext2D.prototype;
  let dash = [], dashes = 0;
  Path2D = class extends whole {
    edges = 0;
    moveTo(x, y) {
      ++this.edges;
      super.moveTo(x, y);
    }
  };
  Object.assign(view.context, { setLineDash: (d) => (dash = d), stroke: (path) => dash.length && (dashes += path.edges) });
  view.zoom = 0.5;
  view.draw();
  const seen = (e) => !(e.left > view.window.right || e.right < view.window.left || e.top > view.window.bottom ||
                        e.bottom < view.window.top);
  equal("dashed edges", dashes, view.scene.edges.filter((e) => e.cross && seen(e) &&
                                                               e.right - e.left + e.bottom - e.top <= 2000).length);
  Path2D = whole;
  delete view.context.setLineDash;
  delete view.context.stroke;
  press("[");

  // Keys, colours, themes.
  const zoom = view.zoom;
  press("+");
  check("nearer", view.zoom > zoom);
  press("f");
  equal("fits again", view.zoom, zoom);
  const theme = root.dataset.theme, back = app.colours.theme.back;
  press("t");
  check("the other theme", root.dataset.theme !== theme && app.colours.theme.back !== back);
  press("3");
  equal("by bytes", app.colours.by, "bytes");
  check("its legend", document.getElementById("legend").textContent.includes("bytes"));
  press("2");
  equal("time needs a plan", app.colours.by, model.plan ? "time" : "bytes");
  press("Escape");
  equal("nothing selected", app.selected, null);

  // The plan's charts.
  if (model.plan) {
    const [memory, timeline] = app.charts;
    const own = model.plan.values.filter((v) => v.home === "arena" && v.fate !== "alias").length;
    equal("a bar for each value in the arena", memory.bars.length, own);
    check("within the arena", memory.bars.every((b) => b.low >= 0 && b.high <= memory.top && b.from < b.to));
    const clash = memory.bars.some((a) => memory.bars.some((b) => a.value.block !== b.value.block &&
      a.low < b.high && b.low < a.high && a.from < b.to && b.from < a.to));
    check("no bytes used twice at once", !clash);
    check("the time line says whose time it is", document.getElementById("timeline-title").textContent
      .includes(model.plan.run ? "measured, 2 threads" : "estimated, "));
    const { plan } = model, [longest, time] = plan.run ? [plan.measured_critical_path, plan.measured_critical_ns]
                                                       : [plan.critical_path, plan.critical_ns];
    const critical = new Set(longest.map((s) => plan.steps[s].node)), timed = plan.run ? "measured" : "estimated";
    check("the critical path is marked", nodes.every((n) => n.critical === critical.has(n.id)));
    check("and told beside times of its kind", details().includes(`Critical path, ${timed}${formatTime(time)}`), details());
    check("and not beside others", !document.getElementById("timeline-title").textContent
      .includes(plan.run ? "estimated" : "measured"));
    if (model.plan.run)
      check("what was measured is drawn", timeline.bars.every((b) => model.plan.run.some((e) =>
        b.from === e.begin_ns && b.to === e.end_ns && model.nodes[model.plan.steps[e.step].node] === b.node &&
        Math.abs(timeline.top - e.lane - 0.9 - b.low) < 1e-9)));
    check("lanes", timeline.bars.length >= model.plan.steps.filter((s) => s.node >= 0).length, timeline.bars.length);
    memory.draw();
    const bar = memory.bars.reduce((a, b) => ((b.to - b.from) * b.value.bytes > (a.to - a.from) * a.value.bytes ? b : a));
    const x = memory.px((bar.from + bar.to) / 2), y = memory.py((bar.low + bar.high) / 2);
    equal("the bar under the pointer", memory.at(x, y)?.node, bar.node);
    const written = [];
    memory.look((bar.from + bar.to) / 2, 2 * memory.extent / (bar.to - bar.from));
    const context = memory.canvas.getContext("2d");
    const middle = memory.py((bar.low + bar.high) / 2);
    context.fillText = (text, x, y) => x >= memory.margin.left && Math.abs(y - middle) < 1 && written.push(text);
    memory.draw();
    delete context.fillText;
    if (memory.py(bar.low) - memory.py(bar.high) > 12)
      check("a bar whose start is out of sight has its name",
            written.some((t) => bar.node.titleOf(bar.value.output).startsWith(t.replace("…", ""))), written);
    memory.look(0, 1);
    press("2");
    const slowest = timeline.bars.reduce((a, b) => (b.node.time > a.node.time ? b : a)).node;
    equal("the charts' colours have a scale of their own", app.colours.ofBar(slowest).solid, app.colours.ramp(1).solid);
    press("1");
    for (const title of document.querySelectorAll("figcaption"))
      check("a heading is whole", title.scrollWidth <= title.clientWidth && title.scrollHeight <= title.clientHeight, title.textContent);
    check("the plan in the overview", details().includes("lower bound"));
  } else {
    check("says how to get a plan", document.getElementById("memory-title").textContent.includes("--plan"));
  }
  root.dataset.checks = checks;
  root.dataset.failed = failed.join("\n");
  document.getElementById("data").remove();
}
