// Layers of one or two axes as pictures: the plane and the numerical view, in SVG.
//
// `drawing(looks, arithmetic)` has the geometry of scripts/views (maps.py, plane.py, numerical.py) and of
// templates/styles.tex, from which scripts/site/explorer.py takes `looks`.  A picture is plain data: paths by their
// classes, and numbers by theirs; `Canvas` puts it into an SVG element, of which it changes only what differs.
"use strict";

function drawing(looks, arithmetic) {
  const { range, choices, ravel, terms } = arithmetic;
  const [columnX, columnY, rowX, rowY] = looks.plane;
  const POINTS = 72.27 / 2.54; // in a centimetre, the unit of `looks`
  const LETTER = 4.6; // the mean width of a letter of a label
  const MARGIN = 6;
  const LABEL = 14; // the height of a label

  // Maps on a grid: blocks of cells [column, row, columns, rows]

  const positions = (axis, ...kinds) =>
    range(0, axis.cells.length).filter((position) => kinds.includes(axis.cells[position].kind));
  const holding = (axis, ...kinds) =>
    positions(axis, ...kinds).filter((position) => axis.cells[position].input_index !== null);

  // Neighbouring positions joined, each (start, length).
  function runs(found) {
    const joined = [];
    for (const position of found) {
      const last = joined.at(-1);
      if (last && last[0] + last[1] === position) last[1]++;
      else joined.push([position, 1]);
    }
    return joined;
  }

  const blocks = (rows, columns) =>
    choices([runs(rows), runs(columns)]).map(([[row, height], [column, width]]) => [column, row, width, height]);

  // Where the output is along an axis: over the input if they are equally large, else over the middle.
  function offset(axis) {
    const inputs = positions(axis, "input");
    const movedOver = positions(axis, "input", "padding", "inserted", "overhang");
    const outputs = axis.windows.length;
    return inputs.length === outputs ? inputs[0] : movedOver[0] + (movedOver.length - outputs) / 2;
  }

  // The cells of an input in its grid, by what they are; each kind is painted over those before it.
  function inputMap(grid) {
    const drawn = (...kinds) => blocks(...grid.map((axis) => positions(axis, ...kinds)));
    const held = (...kinds) => blocks(...grid.map((axis) => holding(axis, ...kinds)));
    const [rows, columns] = grid.map((axis) => range(0, axis.cells.length));
    const overhang = grid.map((axis) => positions(axis, "overhang"));
    const kept = grid.map((axis) => positions(axis, "input", "padding", "inserted"));
    const isCropped = grid.some((axis) => positions(axis, "cropped").length > 0);
    return {
      rows: rows.length,
      columns: columns.length,
      cells: blocks(rows, columns),
      cropped: isCropped ? held("input", "cropped") : [],
      overhang: isCropped ? [] : [...blocks(rows, overhang[1]), ...blocks(overhang[0], kept[1])],
      kept: blocks(...kept),
      copied: held("input", "padding"),
      input: drawn("input"),
      unreached: unreached(grid),
    };
  }

  // The input's cells that are in no window.
  function unreached(grid) {
    const [rows, columns] = grid.map(missed);
    const inputs = grid.map((axis) => positions(axis, "input", "cropped").filter((at) => axis.cells[at].input_index !== null));
    const rest = inputs[0].filter((position) => !rows.includes(position));
    return [...blocks(rows, inputs[1]), ...blocks(rest, columns)];
  }

  // Positions of the input along an axis that are in no window.
  function missed(axis) {
    const seen = new Set(axis.windows.flat().map((element) => element.position));
    return holding(axis, "input", "cropped").filter((position) => !seen.has(position));
  }

  // Paths

  const round = (length) => Math.round(length * 100) / 100;
  const point = ([x, y]) => `${round(x)} ${round(y)}`;

  function outlines(at, found) {
    return found
      .map(([column, row, width, height]) => {
        const corners = [at(column, row), at(column + width, row), at(column + width, row + height), at(column, row + height)];
        return `M${corners.map(point).join("L")}Z`;
      })
      .join("");
  }

  function lines(at, found) {
    return found
      .map(([column, row, width, height]) => {
        const across = range(row, row + height + 1).map((y) => [at(column, y), at(column + width, y)]);
        const down = range(column, column + width + 1).map((x) => [at(x, row), at(x, row + height)]);
        return [...across, ...down].map(([start, end]) => `M${point(start)}L${point(end)}`).join("");
      })
      .join("");
  }

  const join = (pairs) => pairs.map(([start, end]) => `M${point(start)}L${point(end)}`).join("");

  // From cells to points

  const flat = (column, row) => [column * looks.flat * POINTS, row * looks.flat * POINTS];
  const slanted = (column, row) => [
    (column * columnX + row * rowX) * POINTS,
    -(column * columnY + row * rowY) * POINTS,
  ];
  const moved = (at, columns, rows) => (column, row) => at(column + columns, row + rows);

  const inTwoAxes = (layer) => (layer.axes.length === 2 ? layer : layer.withUnitAxis());
  const sizes = (numbers) => numbers.join(" × ");

  // What a layer's picture is drawn from: its grid of two axes, its maps and where the output is.
  function scene(layer, view, values) {
    const whole = inTwoAxes(layer);
    const [rows, columns] = whole.grid;
    const input = inputMap(whole.grid);
    const [height, width] = whole.output_size;
    const labels = [`input ${sizes(layer.input_size)}`, `output ${sizes(layer.output_size)}`];
    const found = { layer: whole, view, values, input, output: { rows: height, columns: width }, labels };
    const isRow = rows.cells.length === 1 && height === 1;
    if (view === "plane" && layer.axes.length === 2) {
      const place = [offset(columns), offset(rows)];
      // The output's front corner clears the input's back corner.
      const lift = slanted(place[0], place[1] + height)[1] - slanted(input.columns, 0)[1] + looks.plane_gap * POINTS;
      const above = (column, row) => {
        const [x, y] = slanted(column + place[0], row + place[1]);
        return [x, y - lift];
      };
      return { ...found, layout: "planes", at: slanted, above };
    }
    if (view === "plane") {
      const pitch = looks.row_pitch / looks.flat - 1;
      const above = moved(flat, offset(columns), offset(rows) - 1 - Math.max(looks.row_lift, pitch));
      return { ...found, layout: "rows", at: flat, above };
    }
    const place = isRow
      ? [offset(columns), 1 + looks.row_gap]
      : [columns.cells.length + looks.flat_gap, (rows.cells.length - height) / 2];
    return { ...found, layout: isRow ? "below" : "beside", at: flat, above: moved(flat, ...place), kernel: kernelMap(whole, values, isRow) };
  }

  // The kernel as it lies on the input: above it if that is a row, else at its left.
  function kernelMap(layer, values, isRow) {
    if (values === null || !layer.weighted) return null;
    const [height, width] = layer.kernel_size;
    const place = isRow
      ? [0, -1 - looks.row_gap]
      : [-width - looks.flat_gap, (layer.grid[0].cells.length - height) / 2];
    const data = layer.transposed ? values.operand.data.toReversed() : values.operand.data;
    return { at: moved(flat, ...place), rows: height, columns: width, data, label: layer.transposed ? "rotated kernel" : "kernel" };
  }

  // Numbers in words

  const minus = (text) => text.replace("-", "−");
  const written = (value) =>
    value === -Infinity ? "−∞" : minus(String(Number.isInteger(value) ? value : Number(value.toPrecision(12))));

  // The number of decimals to write computed values with: the fewest, up to 2, that are exact; else 1, or 2 where a value
  // is smaller than 0.1; null if all are given ones.
  function decimals(layer, output) {
    if (layer.reduction === "maximum" || layer.operation.operand === "indices") return null;
    const values = output.data.filter(Number.isFinite);
    for (const digits of [0, 1, 2]) {
      if (values.every((value) => Math.abs(value - Number(value.toFixed(digits))) <= 1e-9)) return digits;
    }
    return Math.min(...values.filter((value) => value !== 0).map(Math.abs)) >= 0.1 ? 1 : 2;
  }

  function computed(value, digits) {
    if (digits === null || !Number.isFinite(value)) return written(value);
    const text = value.toFixed(digits);
    return Number(text) === 0 ? text.replace("-", "") : minus(text);
  }

  // Pictures: {paths: {class: d}, texts: {class: [[x, y, text]]}}

  // What all steps share.
  function still(found) {
    const { input, output, at, above, values } = found;
    const paths = {
      "cropped-input": outlines(at, input.cropped),
      "cropped": input.cropped.length ? lines(at, input.cells) : "",
      "paper": input.cropped.length ? outlines(at, input.kept) : "",
      "overhang": lines(at, input.overhang),
      "copy": outlines(at, input.copied),
      "padding": lines(at, input.kept),
      "input": outlines(at, input.input),
      "outline": lines(at, input.input),
      "output": outlines(above, [[0, 0, output.columns, output.rows]]),
      "output-outline": lines(above, [[0, 0, output.columns, output.rows]]),
      "unreached": outlines(at, input.unreached),
    };
    const texts = {};
    if (found.kernel) {
      const { columns, rows, data } = found.kernel;
      paths.weight = outlines(found.kernel.at, [[0, 0, columns, rows]]);
      paths["weight-outline"] = lines(found.kernel.at, [[0, 0, columns, rows]]);
      texts["weight-value"] = choices([range(0, rows), range(0, columns)]).map(([row, column]) =>
        centred(found.kernel.at, column, row, written(data[row * columns + column])),
      );
    }
    if (found.view === "numerical" && values !== null) {
      found.contents = contents(found);
      for (const cell of found.contents.values()) {
        if (cell.number === null) continue;
        (texts[`${cell.kind}-value`] ??= []).push(centred(at, cell.column, cell.row, written(cell.number)));
      }
      if (found.layer.operation.operand === "indices") {
        texts["input-small"] = [...found.contents.values()].map((cell) =>
          cornered(at, cell.column, cell.row, written(values.operand.data[cell.row * input.columns + cell.column])),
        );
      }
      found.decimals = decimals(found.layer, values.output);
      texts["output-value"] = choices([range(0, output.rows), range(0, output.columns)]).map(([row, column]) =>
        centred(above, column, row, computed(values.output.data[row * output.columns + column], found.decimals)),
      );
    }
    return { paths, texts, labels: labels(found), box: box(found) };
  }

  const centred = (at, column, row, text) => [...at(column + 0.5, row + 0.5), text];
  function cornered(at, column, row, text) {
    const [x, y] = at(column + 1, row + 1);
    return [x - 1.6, y - 1.8, text];
  }

  // What each cell of a grid holds, by its position in the flattened grid: {kind, number, column, row}.
  function contents({ layer, input, values }) {
    const [rows, columns] = layer.grid.map((axis) => axis.cells);
    const found = new Map();
    rows.forEach((one, row) =>
      columns.forEach((other, column) => {
        const index = [one.input_index, other.input_index];
        const kinds = [one.kind, other.kind];
        const number = index.includes(null) ? null : values.input.data[ravel(index, layer.input_size)];
        let content = { kind: "padding", number: layer.padding_value };
        if (kinds.includes("overhang")) content = { kind: "overhang", number: null };
        else if (kinds.includes("cropped")) content = { kind: "cropped", number };
        else if (number !== null) content = { kind: kinds.every((kind) => kind === "input") ? "input" : "copy", number };
        found.set(row * input.columns + column, { ...content, column, row });
      }),
    );
    return found;
  }

  // A step: the window of an output element, and the element.
  function step(found, number) {
    const { layer, output, at, above, values } = found;
    const element = [Math.floor(number / output.columns), number % output.columns];
    const windows = layer.grid.map((axis, n) => axis.windows[element[n]].map(({ position }) => position));
    const covered = windows.every((window) => window.length) ? blocks(...windows) : [];
    const cell = [[element[1], element[0], 1, 1]];
    const paths = {
      "window": "",
      "window-grid": lines(at, covered),
      "lit": outlines(at, covered),
      "link": covered.length ? links(found, windows, element) : "",
      "element": outlines(above, cell),
      "element-lit": outlines(above, cell),
    };
    const texts = {};
    if (found.view === "numerical" && values !== null) {
      const indices = layer.operation.operand === "indices" ? values.operand : null;
      for (const term of terms(layer, element, indices)) {
        const [row, column] = term.position;
        const { kind, number: value } = found.contents.get(row * found.input.columns + column);
        paths[`window-over-${kind}`] = (paths[`window-over-${kind}`] ?? "") + outlines(at, [[column, row, 1, 1]]);
        if (value !== null) (texts[`window-over-${kind}-value`] ??= []).push(centred(at, column, row, written(value)));
        const small = smallNumber(found, term);
        if (small !== null) (texts[`window-over-${kind}-small`] ??= []).push(cornered(at, column, row, written(small)));
      }
      const value = values.output.data[number];
      texts["element-value"] = [centred(above, element[1], element[0], computed(value, found.decimals))];
    } else {
      paths.window = outlines(at, covered);
    }
    return { paths, texts };
  }

  // The number in the corner of a cell of the window: the kernel's, or where an unpooling puts the input.
  function smallNumber({ layer, values, input }, term) {
    if (layer.weighted) return values.operand.data[ravel(term.kernel_index, layer.kernel_size)];
    if (layer.operation.operand === "indices") return values.operand.data[term.position[0] * input.columns + term.position[1]];
    return null;
  }

  // Lines from the corners of a window to those of its output element; none between maps side by side.
  function links({ layout, at, above }, windows, [row, column]) {
    if (layout === "beside") return "";
    const [[top, bottom], [left, right]] = windows.map((window) => [window[0], window.at(-1) + 1]);
    const corners = (y, near) => [
      [at(left, y), above(column, near)],
      [at(right, y), above(column + 1, near)],
    ];
    // Between two rows, they join the edges that face each other.
    if (layout === "rows") return join(corners(top, 1));
    if (layout === "below") return join(corners(bottom, 0));
    return join([...corners(top, row), ...corners(bottom, row + 1)]);
  }

  // Labels beside the maps: [x, y, anchor, text].
  function labels({ layout, at, above, input, output, labels: texts, kernel }) {
    const [inner, outer] = texts;
    if (layout === "rows" || layout === "below") {
      const beside = (place) => {
        const [x, y] = place(0, 0.5);
        return [x - 5, y, "end"];
      };
      const rows = [[...beside(at), inner], [...beside(above), outer]];
      return kernel ? [...rows, [...beside(kernel.at), kernel.label]] : rows;
    }
    if (layout === "beside") {
      const over = (place, columns) => {
        const [x, y] = place(columns / 2, 0);
        return [x, y - LABEL / 2, "middle"];
      };
      const maps = [[...over(at, input.columns), inner], [...over(above, output.columns), outer]];
      return kernel ? [...maps, [...over(kernel.at, kernel.columns), kernel.label]] : maps;
    }
    const [x, y] = at(input.columns / 2, input.rows);
    const [left, top] = above(output.columns / 2, 0);
    return [[x + 4, y + LABEL / 2, "start", inner], [left - 4, top - LABEL / 2, "end", outer]];
  }

  // [left, top, width, height] of a picture, with room for its labels.
  function box(found) {
    const corners = [[found.at, found.input], [found.above, found.output], ...(found.kernel ? [[found.kernel.at, found.kernel]] : [])]
      .flatMap(([at, map]) => [at(0, 0), at(map.columns, 0), at(0, map.rows), at(map.columns, map.rows)]);
    const ends = labels(found).flatMap(([x, y, anchor, text]) => {
      const width = text.length * LETTER;
      const left = x - { start: 0, middle: width / 2, end: width }[anchor];
      return [[left, y - LABEL / 2], [left + width, y + LABEL / 2]];
    });
    const [xs, ys] = [0, 1].map((n) => [...corners, ...ends].map((place) => place[n]));
    const [left, top] = [Math.min(...xs) - MARGIN, Math.min(...ys) - MARGIN];
    return [left, top, Math.max(...xs) + MARGIN - left, Math.max(...ys) + MARGIN - top].map(round);
  }

  // The number of the output element at a point of a picture; null beside the output.
  function elementAt(found, x, y) {
    const origin = found.above(0, 0);
    const [right, down] = [found.above(1, 0), found.above(0, 1)].map((place) => [place[0] - origin[0], place[1] - origin[1]]);
    const area = right[0] * down[1] - right[1] * down[0];
    const [dx, dy] = [x - origin[0], y - origin[1]];
    const column = Math.floor((dx * down[1] - dy * down[0]) / area);
    const row = Math.floor((dy * right[0] - dx * right[1]) / area);
    const { rows, columns } = found.output;
    return row >= 0 && row < rows && column >= 0 && column < columns ? row * columns + column : null;
  }

  // Drawing

  const SVG = "http://www.w3.org/2000/svg";
  // The order in which parts are painted: a path's class, or the class of numbers.
  const ORDER = [
    ...["cropped-input", "cropped", "paper", "overhang", "copy", "padding", "input", "outline", "weight", "weight-outline"],
    ...["unreached", "cropped-value", "padding-value", "input-value", "copy-value", "input-small", "weight-value"],
    ...["window", "window-over-input", "window-over-copy", "window-over-padding", "window-over-cropped"],
    ...["window-over-input-value", "window-over-copy-value", "window-over-padding-value", "window-over-cropped-value"],
    ...["window-over-input-small", "window-over-copy-small", "window-over-padding-small", "window-over-cropped-small"],
    ...["window-grid", "lit", "link", "output", "output-outline", "output-value", "element", "element-lit", "element-value"],
  ];
  const MOVING = ORDER.filter((name) => /^(window|lit|link|element)/.test(name));
  const STILL = ORDER.filter((name) => !MOVING.includes(name));
  const isText = (name) => /-(value|small)$/.test(name);

  // An SVG element that holds a picture.
  class Canvas {
    constructor(svg) {
      this.svg = svg;
      this.widths = new Map();
      this.parts = new Map(
        [...ORDER, "labels"].map((name) => {
          const part = document.createElementNS(SVG, isText(name) || name === "labels" ? "g" : "path");
          part.setAttribute("class", name);
          return [name, part];
        }),
      );
      svg.replaceChildren(...this.parts.values());
    }

    showStill(picture) {
      this.svg.setAttribute("viewBox", picture.box.join(" "));
      this.show(picture, STILL);
      const labels = this.nodes(this.parts.get("labels"), picture.labels.length);
      picture.labels.forEach(([x, y, anchor, text], n) => {
        labels[n].textContent = text;
        for (const [name, value] of Object.entries({ x: round(x), y: round(y), "text-anchor": anchor })) {
          labels[n].setAttribute(name, value);
        }
      });
    }

    showStep(picture) {
      this.show(picture, MOVING);
    }

    show(picture, names) {
      for (const name of names) {
        const part = this.parts.get(name);
        if (isText(name)) this.numbers(part, picture.texts[name] ?? [], name.endsWith("-small") ? 1 : 0.5);
        else part.setAttribute("d", picture.paths[name] ?? "");
      }
    }

    // Make a group hold these numbers, a row of them in each text: browsers lay out few long texts much faster than many
    // short ones.  Each letter has its place, and a space stands between two numbers.
    numbers(group, wanted, anchor) {
      const rows = new Map();
      const most = looks.value_width * POINTS;
      const scale = group.getAttribute("class").endsWith("-small") ? looks.small_size / looks.value_size : 1;
      for (const [x, y, text] of wanted) {
        const row = rows.get(y) ?? [[], []];
        rows.set(y, row);
        const widths = [...text].map((letter) => this.widthOf(letter) * scale);
        const width = widths.reduce((total, one) => total + one, 0);
        // The letters of a long number are closer together.
        const closer = Math.min(most / width, 1);
        let place = x - width * closer * anchor;
        for (const one of widths) {
          row[0].push(round(place));
          place += one * closer;
        }
        row[0].push(round(place));
        row[1].push(text);
      }
      const nodes = this.nodes(group, rows.size);
      [...rows].forEach(([y, [places, texts]], n) => {
        // What stays the same is not laid out again.
        const [text, xs, place] = [texts.join(" "), places.join(" "), String(round(y))];
        if (nodes[n].textContent !== text) nodes[n].textContent = text;
        if (nodes[n].getAttribute("x") !== xs) nodes[n].setAttribute("x", xs);
        if (nodes[n].getAttribute("y") !== place) nodes[n].setAttribute("y", place);
      });
    }

    nodes(group, count) {
      while (group.childElementCount > count) group.lastChild.remove();
      while (group.childElementCount < count) group.append(document.createElementNS(SVG, "text"));
      return group.children;
    }

    // The width of a letter in the font of values.
    widthOf(letter) {
      if (!this.widths.has(letter)) {
        const probe = this.nodes(this.parts.get("output-value"), 1)[0];
        probe.textContent = letter;
        this.widths.set(letter, probe.getComputedTextLength());
      }
      return this.widths.get(letter);
    }
  }

  return { Canvas, scene, still, step, elementAt, missed, inTwoAxes, sizes, written, computed, decimals };
}
