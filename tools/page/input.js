// Pointer and keys, and the start of the page.
"use strict";

App.prototype.listen = function () {
  const canvas = this.view.canvas, search = document.getElementById("search");
  let drag = null;
  canvas.addEventListener("pointerdown", (e) => {
    drag = { x: e.offsetX, y: e.offsetY, moved: false };
    canvas.setPointerCapture(e.pointerId);
  });
  canvas.addEventListener("pointermove", (e) => {
    if (!drag) {
      const item = this.view.at(e.offsetX, e.offsetY);
      canvas.classList.toggle("over", !!item);
      return this.hover(item, e);
    }
    drag.moved ||= Math.hypot(e.offsetX - drag.x, e.offsetY - drag.y) > 3;
    if (!drag.moved) return;
    canvas.classList.add("drag");
    this.view.pan(e.offsetX - drag.x, e.offsetY - drag.y);
    [drag.x, drag.y] = [e.offsetX, e.offsetY];
  });
  canvas.addEventListener("pointerup", (e) => {
    if (drag && !drag.moved) this.select(this.view.at(e.offsetX, e.offsetY));
    drag = null;
    canvas.classList.remove("drag");
  });
  canvas.addEventListener("pointerleave", () => this.hover(null));
  canvas.addEventListener("dblclick", (e) => this.toggle(this.view.at(e.offsetX, e.offsetY)));
  canvas.addEventListener("wheel", (e) => {
    e.preventDefault();
    this.view.zoomAt(Math.exp(-e.deltaY * 0.0015), e.offsetX, e.offsetY);
  }, { passive: false });

  const clicks = { unfold: () => this.unfold(), fold: () => this.fold(), fit: () => this.view.fit(),
                   theme: () => this.switchTheme(), help: () => document.getElementById("keys").showModal() };
  for (const [id, run] of Object.entries(clicks)) document.getElementById(id).addEventListener("click", run);
  document.getElementById("colours").addEventListener("click", (e) => this.colourBy(e.target.dataset.by));
  search.addEventListener("input", () => this.search(search.value));
  search.addEventListener("keydown", (e) => {
    if (e.key === "Enter") this.next(e.shiftKey ? -1 : 1);
    else if (e.key === "ArrowDown" || e.key === "ArrowUp") this.next(e.key === "ArrowDown" ? 1 : -1);
    else if (e.key === "Escape") this.endSearch();
    else return;
    e.preventDefault();
    e.stopPropagation();
  });
  document.getElementById("key-table").innerHTML = this.keys().map(([, shown, what]) =>
    `<tr><td>${shown.split(" ").map((k) => `<kbd>${k}</kbd>`).join(" ")}</td><td>${what}</td></tr>`).join("");
  document.addEventListener("keydown", (e) => this.press(e));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (e) => this.setTheme(e.matches ? "dark" : "light"));
};

App.prototype.endSearch = function () {
  const search = document.getElementById("search");
  search.value = "";
  search.blur();
  this.search("");
  this.view.canvas.focus();
};

// What each key does: [keys, as shown, what, how].
App.prototype.keys = function () {
  const canvas = this.view.canvas, middle = () => [canvas.clientWidth / 2, canvas.clientHeight / 2];
  return [
    [["/"], "/", "search", () => document.getElementById("search").focus()],
    [["n"], "n", "next found", () => this.next(1)],
    [["N"], "N", "previous found", () => this.next(-1)],
    [["ArrowUp"], "↑", "to what it reads", () => this.follow("up")],
    [["ArrowDown"], "↓", "to its reader", () => this.follow("down")],
    [["ArrowLeft"], "←", "left in the row", () => this.follow("left")],
    [["ArrowRight"], "→", "right in the row", () => this.follow("right")],
    [["b"], "b", "from forward to backward and back", () => this.across()],
    [["Enter"], "Enter", "fold or unfold", () => this.toggle(this.selected?.isGroup ? this.selected : null)],
    [["Backspace"], "Backspace", "out to the group around",
      () => this.selected?.parent?.parent && this.select(this.selected.parent)],
    [["]"], "]", "unfold one level more", () => this.unfold()],
    [["["], "[", "fold to the first view", () => this.fold()],
    [["+", "="], "+", "nearer", () => this.view.zoomAt(1.25, ...middle())],
    [["-"], "-", "further", () => this.view.zoomAt(0.8, ...middle())],
    [["f"], "f", "fit to the window", () => this.view.fit()],
    [["1", "2", "3", "4"], "1 2 3 4", "colour by role, time, bytes, dtype",
      (key) => this.colourBy(this.colours.ways[key - 1].by)],
    [["t"], "t", "light or dark", () => this.switchTheme()],
    [["m"], "m", "hide or show memory and timeline", () => document.querySelector("main").classList.toggle("wide")],
    [["?"], "?", "these keys", () => document.getElementById("keys").showModal()],
    [["Escape"], "Esc", "end the search, select nothing", () => this.found ? this.endSearch() : this.select(null)],
  ];
};

App.prototype.press = function (event) {
  const button = event.target.closest?.("button") && event.key === "Enter";
  if (event.ctrlKey || event.metaKey || event.altKey || button || document.getElementById("keys").open) return;
  if (event.target.id === "search") return;
  const found = this.keys().find(([keys]) => keys.includes(event.key));
  if (!found) return;
  event.preventDefault();
  found[3](event.key);
};

const app = new App(new Model(JSON.parse(document.getElementById("data").textContent)));
// When the page was ready to be used, in milliseconds since it was opened: after its first picture.
requestAnimationFrame(() => setTimeout(() => (document.documentElement.dataset.ready = Math.round(performance.now()))));
