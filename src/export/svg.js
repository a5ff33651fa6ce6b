// SPDX-License-Identifier: MIT
// Zoom, search and names for the SVG flame graph.  Every frame is a <g class="f"> with data-x and
// data-w, its place and width as shares of the whole; nothing is fetched from anywhere.
"use strict";
(function () {
    const svg = document.documentElement;
    const frames = Array.from(svg.querySelectorAll("g.f"));
    const details = svg.querySelector("#details");
    const matched = svg.querySelector("#matched");
    const WIDTH = +svg.dataset.width, CHARACTER = 7.3;
    let zoomed = { x: 0, w: 1 };

    function place(frame) {
        return { x: +frame.dataset.x, w: +frame.dataset.w };
    }

    // A frame inside the zoomed one is drawn to scale, one that holds it at full width, else not.
    function draw(frame) {
        const p = place(frame), rect = frame.querySelector("rect"), text = frame.querySelector("text");
        let from = (p.x - zoomed.x) / zoomed.w, to = (p.x + p.w - zoomed.x) / zoomed.w;
        const inside = to > 1e-9 && from < 1 - 1e-9;

        from = Math.max(from, 0);
        to = Math.min(to, 1);
        frame.style.display = inside && (to - from) * WIDTH > 0.05 ? "" : "none";
        if (!inside)
            return;
        rect.setAttribute("x", (from * WIDTH).toFixed(2));
        rect.setAttribute("width", Math.max((to - from) * WIDTH - 0.4, 0.1).toFixed(2));
        frame.classList.toggle("outer", p.w > zoomed.w * (1 + 1e-9));
        const room = Math.floor(((to - from) * WIDTH - 4) / CHARACTER);
        const name = frame.dataset.name;
        text.setAttribute("x", (from * WIDTH + 3).toFixed(2));
        text.textContent = room < 3 ? "" : name.length <= room ? name : name.slice(0, room - 1) + "…";
    }

    function zoom(frame) {
        zoomed = place(frame);
        frames.forEach(draw);
    }

    function label(frame) {
        return frame.querySelector("title").textContent;
    }

    // The share of stacks with a match: of nested matches only the outermost counts.
    function search(words) {
        let expression = null, spans = [], end = -1, share = 0;

        try {
            expression = words ? new RegExp(words, "i") : null;
        } catch (error) {
            matched.textContent = "not a regular expression";
            return;
        }
        for (const frame of frames) {
            const hit = expression !== null && expression.test(frame.dataset.name);

            frame.classList.toggle("match", hit);
            if (hit)
                spans.push(place(frame));
        }
        spans.sort((a, b) => a.x - b.x || b.w - a.w);
        for (const span of spans) {
            if (span.x + span.w <= end + 1e-12)
                continue;
            share += span.w;
            end = span.x + span.w;
        }
        matched.textContent = expression ? "matched: " + (100 * share).toFixed(1) + "%" : "";
    }

    function ask() {
        const words = prompt("Search for functions (a regular expression):", "");

        if (words !== null)
            search(words);
    }

    for (const frame of frames) {
        frame.addEventListener("click", () => zoom(frame));
        frame.addEventListener("mouseover", () => { details.textContent = label(frame); });
        frame.addEventListener("mouseout", () => { details.textContent = " "; });
    }
    svg.querySelector("#search").addEventListener("click", ask);
    svg.querySelector("#reset").addEventListener("click", () => zoom(frames[0]));
    window.addEventListener("keydown", (event) => {
        if ((event.ctrlKey || event.metaKey) && event.key === "f") {
            event.preventDefault();
            ask();
        } else if (event.key === "Escape") {
            search("");
            zoom(frames[0]);
        }
    });
    frames.forEach(draw);
})();
