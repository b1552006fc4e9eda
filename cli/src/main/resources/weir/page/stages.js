// The page is XML as well: neither a less-than sign nor an ampersand may stand here.
"use strict";
(function () {
  const main = document.querySelector("main");
  const search = document.querySelector("input");
  const MARKS = ["chosen", "same", "kin", "use"];

  // A value is defined as %12 "name" and used as %12.
  function values(element, pattern) {
    const text = element.matches(".line") ? element.textContent : "";
    return new Set(Array.from(text.matchAll(pattern), function (m) { return m[1]; }));
  }
  function defined(element) { return values(element, /%(\d+) "/g); }
  function used(element) { return values(element, /%(\d+)(?! "|\d)/g); }
  function origins(element) {
    return new Set((element.dataset.o || "").split(" ").filter(Boolean));
  }
  function meet(one, other) {
    for (const x of one) { if (other.has(x)) { return true; } }
    return false;
  }
  // The kernel, its code, and where it is launched.
  function isKernel(element, kernel) {
    return kernel === undefined ? false : element.dataset.k === kernel ||
        element.textContent.includes('launch "' + kernel + '"');
  }
  function clear() {
    for (const mark of MARKS) {
      main.querySelectorAll("." + mark).forEach(function (e) { e.classList.remove(mark); });
    }
  }

  function choose(chosen) {
    clear();
    const own = defined(chosen);
    const from = origins(chosen);
    const needs = used(chosen);
    const kernel = chosen.dataset.k;
    main.querySelectorAll("section").forEach(function (column) {
      let first = null;
      let rank = 0;
      column.querySelectorAll(".line, details.kernel").forEach(function (e) {
        let mark = "";
        let weight = 0;
        if (e === chosen) {
          mark = "chosen"; weight = 9;
        } else if (meet(own, defined(e)) || isKernel(e, kernel)) {
          mark = "same"; weight = 3;
        } else if (meet(from, origins(e))) {
          mark = "kin"; weight = 2;
        }
        if (mark !== "") { e.classList.add(mark); }
        if (meet(own, used(e)) || meet(needs, defined(e))) {
          e.classList.add("use");
          weight = Math.max(weight, 1);
        }
        if (weight > rank) { first = e; rank = weight; }
      });
      if (!(first === null || first === chosen || column.hidden)) {
        const lines = column.querySelector(".lines");
        lines.scrollTop += first.getBoundingClientRect().top -
            lines.getBoundingClientRect().top - lines.clientHeight / 3;
      }
    });
  }

  function show(name, shown) {
    const column = document.getElementById("stage-" + name);
    column.hidden = !shown;
    document.querySelector('button[data-stage="' + name + '"]')
        .setAttribute("aria-pressed", String(shown));
    return column;
  }

  main.addEventListener("click", function (event) {
    if (!window.getSelection().isCollapsed) { return; }
    const line = event.target.closest(".line");
    const summary = event.target.closest("summary");
    if (line !== null) { choose(line); }
    if (summary !== null) { choose(summary.parentElement); }
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") { clear(); search.value = ""; find(); }
  });
  document.querySelectorAll("button[data-stage]").forEach(function (button) {
    button.addEventListener("click", function () {
      show(button.dataset.stage, button.getAttribute("aria-pressed") !== "true");
    });
  });
  document.querySelectorAll("tr[data-stage]").forEach(function (row) {
    row.addEventListener("click", function () {
      show(row.dataset.stage, true).scrollIntoView({ inline: "center", block: "nearest" });
    });
  });

  function find() {
    const wanted = search.value.toLowerCase();
    main.classList.toggle("searching", wanted !== "");
    main.querySelectorAll(".line").forEach(function (e) {
      e.classList.toggle("found", e.textContent.toLowerCase().includes(wanted));
    });
  }
  search.addEventListener("input", find);
}());
