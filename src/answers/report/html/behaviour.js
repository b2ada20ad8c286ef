"use strict";
// What a page of answers does when it is touched. Without this it still shows everything.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const data = (figure) => {
    if (!figure.known) figure.known = JSON.parse(figure.querySelector("script").textContent);
    return figure.known;
  };
  document.documentElement.classList.add("live");

  // Numbers as the program writes them.
  const number = (v) => {
    if (v === null || v === undefined) return "";
    if (typeof v !== "number") return v;
    const size = Math.abs(v);
    if (size !== 0 && (size < 1e-3 || size >= 1e6)) return v.toExponential(2);
    return String(Number(v.toPrecision(4)));
  };
  const words = {
    number,
    value: number,
    share: (v) => (v === null ? "" : (100 * v).toFixed(1) + " %"),
    time: (v) => {
      if (v === null) return "";
      for (const [below, size, unit] of [
        [120, 1, "s"],
        [7200, 60, "min"],
        [172800, 3600, "h"],
      ])
        if (v < below) return number(Number((v / size).toPrecision(3))) + " " + unit;
      return number(Number((v / 86400).toPrecision(3))) + " d";
    },
  };

  // Light or dark.
  const theme = document.getElementById("theme");
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    theme.setAttribute("aria-pressed", String(!dark));
  });

  // The filter of methods.
  const boxes = all("#filter input[type=checkbox]");
  const hidden = new Set();
  // Methods are numbered within their study.
  const method = (element, m) => `${element.closest("[data-study]")?.dataset.study} ${m}`;
  const filter = () => {
    hidden.clear();
    for (const box of boxes) if (!box.checked) hidden.add(method(box, box.value));
    const is = (element) => hidden.has(method(element, element.dataset.m));
    for (const row of all("tr[data-m]")) row.hidden = is(row);
    for (const svg of all("figure svg")) {
      const [rowHeight, top] = (svg.dataset.rows || "").split(" ").map(Number);
      const gone = new Set();
      for (const group of all("g[data-m]", svg)) {
        group.style.display = is(group) ? "none" : "";
        if (is(group) && group.dataset.row) gone.add(Number(group.dataset.row));
      }
      if (!rowHeight) continue;
      for (const group of all("g[data-row]", svg)) {
        const before = [...gone].filter((row) => row < Number(group.dataset.row)).length;
        group.setAttribute("transform", `translate(0 ${-before * rowHeight * 10})`);
      }
      const box = svg.viewBox.baseVal;
      box.height = Number(svg.dataset.height) * 10 - gone.size * rowHeight * 10;
    }
    const count = document.getElementById("count");
    const shown = boxes.length - hidden.size;
    count.textContent = shown === boxes.length ? `all ${shown}` : `${shown} of ${boxes.length}`;
  };
  for (const box of boxes) box.addEventListener("change", filter);
  for (const button of all("#filter button")) {
    button.addEventListener("click", () => {
      for (const box of boxes)
        box.checked =
          button.dataset.show === "all" ||
          (button.dataset.show === "main" && box.dataset.main !== undefined);
      filter();
    });
  }
  document.addEventListener("keydown", (event) => {
    const open = document.getElementById("filter");
    if (event.key === "Escape" && open && open.open) {
      open.open = false;
      open.querySelector("summary").focus();
    }
  });

  // Tables sorted by a column.
  const UNITS = { s: 1, min: 60, h: 3600, d: 86400 };
  const key = (cell) => {
    const text = cell.textContent.trim();
    if (text === "") return null;
    if (/^(never|both never|infinite)/.test(text)) return Infinity;
    const match = text.match(/-?\d+(\.\d+)?(e-?\d+)?/);
    if (!match) return text;
    let value = Number(match[0]);
    const of = text.match(/^(\d+)\/(\d+)$/);
    if (of) value = Number(of[2]) ? Number(of[1]) / Number(of[2]) : 0;
    const unit = text.match(/\d\]? (s|min|h|d)$/);
    return unit ? value * UNITS[unit[1]] : value;
  };
  for (const button of all("th button")) {
    button.addEventListener("click", () => {
      const head = button.closest("th");
      const table = head.closest("table");
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of all("th", head.parentElement))
        if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const at = [...head.parentElement.children].indexOf(head);
      const rows = all("tbody tr", table).map((row) => [key(row.children[at]), row]);
      const order = (a, b) => {
        // What is empty stays below, whichever way.
        if (a === null || b === null) return (a === null) - (b === null);
        const less =
          typeof a === "number" && typeof b === "number"
            ? a < b
              ? -1
              : a > b
                ? 1
                : 0
            : String(a).localeCompare(String(b));
        return up ? less : -less;
      };
      rows.sort((a, b) => order(a[0], b[0]));
      for (const [, row] of rows) table.tBodies[0].append(row);
    });
  }

  // What a pointer over a plot reads.
  const tip = document.getElementById("tip");
  const show = (text, event) => {
    tip.textContent = text;
    tip.style.display = "block";
    const [w, h] = [tip.offsetWidth, tip.offsetHeight];
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - w - 4)) + "px";
    tip.style.top =
      (event.clientY + h + 22 > innerHeight ? event.clientY - h - 10 : event.clientY + 16) + "px";
  };
  const SHOWN = 12;
  const hide = (svg) => {
    tip.style.display = "none";
    const cross = svg.querySelector(".cross");
    if (cross) cross.remove();
  };
  const cross = (svg, figure, event) => {
    const known = data(figure);
    const { edges, x, x_is_log, steps, x_words, y_words } = known.frame;
    const box = svg.getBoundingClientRect();
    const px = (((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width) / 10;
    if (px < edges[0] || px > edges[2]) return hide(svg);
    let at = x[0] + ((px - edges[0]) / (edges[2] - edges[0])) * (x[1] - x[0]);
    if (x_is_log) at = 10 ** at;
    const rows = [];
    for (const line of known.lines) {
      if (hidden.has(method(figure, line.m))) continue;
      let k = -1;
      while (k + 1 < line.x.length && line.x[k + 1] <= at) k += 1;
      if (!steps && k + 1 < line.x.length && (k < 0 || at - line.x[k] > line.x[k + 1] - at)) k += 1;
      if (k < 0) continue;
      const values = line.y.map((y) => y[k]);
      if (values[0] !== null) rows.push([values, line.name]);
    }
    rows.sort((a, b) => b[0][0] - a[0][0]);
    const say = ([values, name]) => {
      const rest = values
        .slice(1)
        .filter((v) => v !== null)
        .map(words[y_words]);
      return `${words[y_words](values[0])}${rest.length ? " (" + rest.join(" to ") + ")" : ""}  ${name}`;
    };
    const lines = [words[x_words](at), ...rows.slice(0, SHOWN).map(say)];
    if (rows.length > SHOWN) lines.push(`and ${rows.length - SHOWN} more`);
    let line = svg.querySelector(".cross");
    if (!line) {
      line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      line.classList.add("cross");
      svg.append(line);
    }
    for (const [name, value] of [
      ["x1", px * 10],
      ["x2", px * 10],
      ["y1", edges[1] * 10],
      ["y2", edges[3] * 10],
    ])
      line.setAttribute(name, value);
    show(lines.join("\n"), event);
  };
  for (const figure of all("figure.plot")) {
    const svg = figure.querySelector("svg");
    svg.addEventListener("pointermove", (event) => {
      const group = event.target.closest("[data-tip]");
      if (group) show(group.dataset.tip, event);
      else if (figure.dataset.lines !== undefined) cross(svg, figure, event);
      else hide(svg);
    });
    svg.addEventListener("pointerleave", () => hide(svg));
  }

  // Files of a plot.
  const save = (name, type, text) => {
    const link = make("a", undefined, {
      download: name,
      href: URL.createObjectURL(new Blob([text], { type })),
    });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  // Columns and rows, whatever a plot holds.
  const table = (known) => {
    if (known.columns) return known;
    const rows = known.lines.flatMap((line) =>
      line.x.map((x, k) => [line.name, x, ...line.y.map((y) => y[k])]),
    );
    return { columns: ["method", known.x, ...known.y], rows };
  };
  const csv = (known) => {
    const cell = (v) => {
      const text = v === null ? "" : String(v);
      return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const { columns, rows } = table(known);
    return [columns, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
  };
  const drawing = (figure) => {
    const copy = figure.querySelector("svg").cloneNode(true);
    const style = getComputedStyle(document.documentElement);
    for (const gone of all(".cross", copy)) gone.remove();
    for (const group of all("g", copy)) if (group.style.display === "none") group.remove();
    for (const element of [copy, ...all("*", copy)]) {
      for (const name of ["fill", "stroke"]) {
        const named = (element.getAttribute(name) || "").match(/^var\((--[\w-]+)\)$/);
        if (named) element.setAttribute(name, style.getPropertyValue(named[1]).trim());
      }
      for (const name of ["data-m", "data-row", "data-tip", "data-rows", "data-height"])
        element.removeAttribute(name);
    }
    const box = copy.viewBox.baseVal;
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("width", box.width / 10);
    copy.setAttribute("height", box.height / 10);
    copy.setAttribute("font-family", "Inter, system-ui, sans-serif");
    const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, value] of [
      ["width", box.width],
      ["height", box.height],
      ["fill", style.getPropertyValue("--paper").trim()],
    ])
      paper.setAttribute(name, value);
    copy.prepend(paper);
    return new XMLSerializer().serializeToString(copy);
  };
  const ROWS = 500;
  const unfold = (figure, button) => {
    let box = figure.querySelector(".numbers");
    if (!box) {
      box = make("div", undefined, {
        class: "numbers wide",
        tabindex: "0",
        role: "region",
        "aria-label": "numbers of the plot",
      });
      const { columns, rows } = table(data(figure));
      const element = make("table");
      const head = element.createTHead().insertRow();
      for (const column of columns) head.append(make("th", column, { scope: "col" }));
      const body = element.createTBody();
      for (const row of rows.slice(0, ROWS)) {
        const line = body.insertRow();
        for (const v of row) line.append(make("td", number(v)));
      }
      box.append(element);
      if (rows.length > ROWS)
        box.append(
          make("p", `The first ${ROWS} of ${rows.length} rows; the CSV has all.`, {
            class: "small",
          }),
        );
      box.hidden = true;
      figure.append(box);
    }
    box.hidden = !box.hidden;
    button.setAttribute("aria-expanded", String(!box.hidden));
  };
  for (const button of all(".tools button")) {
    const figure = button.closest("figure");
    button.addEventListener("click", () => {
      const name = figure.id;
      if (button.dataset.do === "svg") save(name + ".svg", "image/svg+xml", drawing(figure));
      if (button.dataset.do === "csv") save(name + ".csv", "text/csv", csv(data(figure)));
      if (button.dataset.do === "data") unfold(figure, button);
    });
  }

  // Commands to copy.
  for (const button of all("button[data-copy]")) {
    const said = button.textContent;
    button.addEventListener("click", async () => {
      const block = button.parentElement.querySelector("pre");
      try {
        await navigator.clipboard.writeText(block.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(block);
        button.textContent = "Selected";
      }
      setTimeout(() => (button.textContent = said), 1500);
    });
  }
})();
