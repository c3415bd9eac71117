// Convolution arithmetic in JavaScript: from the keys of a figure's file to sizes, windows, terms and values.
//
// `arithmetic(tables)` is a port of scripts/core, where the formulas have their sources; scripts/site/tables.py makes the
// tables from the same modules.  Keys and parameters have the names of a figure's file.  What has no layer throws a
// `LayerError`.  tests/test_site_arithmetic.py holds both equal, for thousands of layers.
"use strict";

function arithmetic(tables) {
  const { operations, bounds } = tables;
  const isUnpooling = (operation) => operation.operand === "indices";

  class LayerError extends Error {
    constructor(key, rule, remedy) {
      super(`${key}: ${rule}. ${remedy}${remedy.endsWith("?") ? "" : "."}`);
      Object.assign(this, { key, rule, remedy });
    }
  }

  // Numbers and lists

  const range = (start, end) => Array.from({ length: Math.max(end - start, 0) }, (_, n) => start + n);
  const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
  const product = (numbers) => numbers.reduce((total, number) => total * number, 1);
  const floorDiv = (a, b) => Math.floor(a / b);
  const ceilDiv = (a, b) => -Math.floor(-a / b);
  const mod = (a, b) => a - b * Math.floor(a / b);
  const gcd = (a, b) => (b === 0 ? a : gcd(b, a % b));
  const listed = (items) => `[${items.map((item) => (Array.isArray(item) ? listed(item) : item)).join(", ")}]`;
  const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
  const isWhole = (value, least) => Number.isInteger(value) && least <= value && value <= bounds.largest;
  // All choices of one item from each list, the last list fastest.
  const choices = (lists) =>
    lists.reduce((chosen, list) => chosen.flatMap((items) => list.map((item) => [...items, item])), [[]]);

  // A layer's own parameters along one axis

  function layerAxis(parameters) {
    const axis = { stride: 1, padding: [0, 0], dilation: 1, output_padding: 0, output_size: null, ...parameters };
    for (const key of ["input_size", "kernel_size", "stride", "dilation"]) {
      if (axis[key] < 1) throw new LayerError(key, `is ${axis[key]}`, "It is at least 1");
    }
    if (Math.min(...axis.padding) < 0) {
      throw new LayerError("padding", `is ${listed(axis.padding)}`, "It is at least 0 on each side");
    }
    return axis;
  }

  // Distance from the kernel's first to its last element.
  const reach = (axis) => axis.dilation * (axis.kernel_size - 1);
  // Number of places that the windows of all inputs cover, less the padding.
  const scatteredSize = (axis) => axis.stride * (axis.input_size - 1) + reach(axis) + 1 - sum(axis.padding);

  // Grids: a row of cells {kind, input_index}, and for each output element a window of {position, kernel_index}

  function checkLength(cells, elements) {
    if (cells > bounds.longest) {
      throw new LayerError("input_size", `gives a row of ${cells} cells`, `At most ${bounds.longest} are enumerated`);
    }
    if (elements > bounds.most_elements) {
      const rule = `gives windows of ${elements} elements along an axis`;
      throw new LayerError("kernel_size", rule, `At most ${bounds.most_elements} are enumerated`);
    }
  }

  // The input element that each padding mode copies to a place before (negative) or after an input of some size.
  const COPIED = {
    zeros: () => null,
    reflect: (place, size) => (place < 0 ? -place : 2 * (size - 1) - place),
    replicate: (place, size) => (place < 0 ? 0 : size - 1),
    circular: (place, size) => mod(place, size),
  };

  class DirectAxis {
    constructor(parameters) {
      const defaults = { stride: 1, padding: [0, 0], dilation: 1, input_dilation: 1, ceil_mode: false };
      Object.assign(this, { ...defaults, padding_mode: "zeros", rotated: false, ...parameters });
      this.window_size = this.dilation * (this.kernel_size - 1) + 1;
      this.spread_size = this.input_dilation * (this.input_size - 1) + 1;
      this.grid_size = this.spread_size + sum(this.padding);
      this.remainder = mod(this.grid_size - this.window_size, this.stride);
      this.output_size = this.outputSize();
      if (this.output_size < 1) {
        throw new LayerError(
          "kernel_size",
          `the window spans ${this.window_size}, the padded input only ${Math.max(this.grid_size, 0)}`,
          "Use a smaller kernel or dilation, a larger input or more padding",
        );
      }
      const reached = Math.max(this.grid_size, (this.output_size - 1) * this.stride + this.window_size);
      this.first_place = -Math.max(this.padding[0], 0);
      this.extent = Math.max(reached - this.padding[0], this.spread_size) - this.first_place;
    }

    outputSize() {
      if (!this.ceil_mode) return floorDiv(this.grid_size - this.window_size, this.stride) + 1;
      const last = ceilDiv(this.grid_size - this.window_size, this.stride);
      return last + (last * this.stride < this.input_size + this.padding[0] ? 1 : 0);
    }

    get grid() {
      checkLength(this.extent, this.output_size * this.kernel_size);
      const cropped = Math.max(-this.padding[0], 0);
      const windows = range(0, this.output_size).map((o) =>
        range(0, this.kernel_size).map((j) => ({
          position: cropped + o * this.stride + this.dilation * j,
          kernel_index: this.rotated ? this.kernel_size - 1 - j : j,
        })),
      );
      return { cells: range(0, this.extent).map((n) => this.cell(this.first_place + n)), windows };
    }

    // The cell at a place, counted from the first input element.
    cell(place) {
      const end = this.grid_size - this.padding[0];
      if (place >= Math.max(end, this.spread_size)) return { kind: "overhang", input_index: null };
      if (place < 0 || place >= this.spread_size) {
        return { kind: "padding", input_index: COPIED[this.padding_mode](place, this.input_size) };
      }
      const between = place % this.input_dilation;
      const index = between ? null : place / this.input_dilation;
      if (place < -this.padding[0] || place >= end) return { kind: "cropped", input_index: index };
      return { kind: between ? "inserted" : "input", input_index: index };
    }
  }

  const inputCells = (size) => range(0, size).map((n) => ({ kind: "input", input_index: n }));

  // Max unpooling: the cells are the input, and a window holds the inputs whose pooling window covers an output element.
  class UnpoolingAxis {
    constructor(axis) {
      this.axis = axis;
      this.grid_size = this.extent = axis.input_size;
      this.output_size = scatteredSize(axis) + axis.output_padding;
      const size = this.output_size;
      if (size < 1) {
        throw new LayerError("padding", `${listed(axis.padding)} leaves an output of ${size}`, "Use less padding");
      }
      const starting = Math.min(axis.input_size, ceilDiv(axis.padding[0], axis.stride), axis.dilation);
      if (starting > bounds.longest) {
        const rule = `is ${axis.dilation} with padding ${listed(axis.padding)}`;
        throw new LayerError("dilation", rule, "Use less of both");
      }
      for (const n of [...range(0, starting), axis.input_size - 1]) {
        const start = n * axis.stride - axis.padding[0];
        const first = Math.max(-floorDiv(start, axis.dilation), 0);
        if (first >= axis.kernel_size || start + first * axis.dilation >= size) {
          const rule = `${listed(axis.padding)} leaves element ${n} no place in the output`;
          throw new LayerError("padding", rule, "Use less padding");
        }
      }
    }

    get grid() {
      const { axis } = this;
      checkLength(Math.max(axis.input_size, this.output_size), axis.input_size * axis.kernel_size);
      const windows = range(axis.padding[0], axis.padding[0] + this.output_size).map((place) => {
        const first = Math.max(ceilDiv(place - reach(axis), axis.stride), 0);
        return range(first, Math.min(floorDiv(place, axis.stride) + 1, axis.input_size))
          .filter((n) => (place - n * axis.stride) % axis.dilation === 0)
          .map((n) => ({ position: n, kernel_index: (place - n * axis.stride) / axis.dilation }));
      });
      return { cells: inputCells(axis.input_size), windows };
    }
  }

  // Adaptive pooling: a window covers the elements that have a share in one of `output_size` equal parts of the input.
  class AdaptiveAxis {
    constructor(input_size, output_size) {
      Object.assign(this, { input_size, output_size, grid_size: input_size, extent: input_size });
      const quotient = floorDiv(input_size, output_size);
      const rest = input_size % output_size;
      this.window_sizes =
        rest === 0 ? [quotient] : range(quotient + 1, quotient + 2 + (rest > gcd(input_size, output_size) ? 1 : 0));
    }

    get grid() {
      const { input_size: i, output_size: o } = this;
      checkLength(i, o * this.window_sizes.at(-1));
      const windows = range(0, o).map((t) =>
        range(floorDiv(t * i, o), ceilDiv((t + 1) * i, o)).map((n, k) => ({ position: n, kernel_index: k })),
      );
      return { cells: inputCells(i), windows };
    }
  }

  function directAxis(axis, layer) {
    const { padding_mode } = layer;
    const most = { reflect: axis.input_size - 1, circular: axis.input_size }[padding_mode];
    if (most !== undefined && Math.max(...axis.padding) > most) {
      throw new LayerError(
        "padding",
        `is ${Math.max(...axis.padding)} for an input of ${axis.input_size}`,
        `Padding mode ${padding_mode} takes at most ${most}`,
      );
    }
    const { input_size, kernel_size, stride, padding, dilation } = axis;
    return new DirectAxis({
      ...{ input_size, kernel_size, stride, padding, dilation, padding_mode },
      ceil_mode: layer.reduction !== null && layer.ceil_mode,
    });
  }

  // The direct convolution that equals a transposed one along an axis.
  function equivalentAxis(axis) {
    const limit = Math.max(axis.stride, axis.dilation);
    if (axis.output_padding < 0 || axis.output_padding >= limit) {
      throw new LayerError(
        "output_padding",
        `is ${axis.output_padding}, with stride ${axis.stride} and dilation ${axis.dilation}`,
        `It is at least 0 and smaller than the larger of the two: at most ${limit - 1}`,
      );
    }
    const size = scatteredSize(axis) + axis.output_padding;
    if (size < 1) {
      throw new LayerError(
        "padding",
        `${listed(axis.padding)} crops the whole output (its size would be ${size})`,
        "Use less padding, a larger kernel or a larger input",
      );
    }
    const [before, after] = axis.padding.map((side) => reach(axis) - side);
    return new DirectAxis({
      input_size: axis.input_size,
      kernel_size: axis.kernel_size,
      padding: [before, after + axis.output_padding],
      dilation: axis.dilation,
      input_dilation: axis.stride,
      rotated: true,
    });
  }

  function adaptiveAxis(axis) {
    if (axis.output_size === null) {
      throw new LayerError("output_size", "is missing", "Give one number, or one per axis");
    }
    return new AdaptiveAxis(axis.input_size, axis.output_size);
  }

  function windowAxis(axis, layer) {
    if (layer.operation.transposed) return equivalentAxis(axis);
    if (layer.operation.adaptive) return adaptiveAxis(axis);
    if (isUnpooling(layer.operation)) return new UnpoolingAxis(axis);
    return directAxis(axis, layer);
  }

  // Padding by name, and output sizes

  function namedPadding(name, axis) {
    const half = floorDiv(reach(axis) + 1, 2);
    const spanned = (ceilDiv(axis.input_size, axis.stride) - 1) * axis.stride + reach(axis) + 1;
    const needed = Math.max(spanned - axis.input_size, 0);
    const less = floorDiv(needed, 2);
    return {
      valid: [0, 0],
      half: [half, half],
      full: [reach(axis), reach(axis)],
      same_upper: [less, needed - less],
      same_lower: [needed - less, less],
      causal: [reach(axis), 0],
    }[name];
  }

  const padded = (axis, name) => layerAxis({ ...axis, padding: namedPadding(name, axis) });
  const isSame = (name) => name === "same_upper" || name === "same_lower";

  // With same_…, the output is s times the input: the layer is the transpose of the convolution with that padding.
  function transposedPadded(axis, name) {
    if (!isSame(name)) return padded(axis, name);
    if (axis.output_padding) {
      throw new LayerError("output_padding", `is given beside padding ${name}`, "Remove one of the two keys");
    }
    const larger = padded({ ...axis, input_size: axis.stride * axis.input_size }, name);
    const forward = directAxis(larger, { padding_mode: "zeros", reduction: null });
    return layerAxis({ ...larger, input_size: forward.output_size, output_padding: forward.remainder });
  }

  function reaching(axis, outputSize, mayBeSmaller) {
    const output_padding = outputSize - scatteredSize(axis);
    const least = mayBeSmaller ? Math.max(1 - axis.stride, axis.padding[1] - reach(axis)) : 0;
    if (output_padding < least || output_padding >= axis.stride) {
      const ends = [least, axis.stride - 1].map((most) => Math.max(scatteredSize(axis) + most, 1));
      const sizes = [...new Set(ends)].sort((a, b) => a - b);
      throw new LayerError(
        "output_size",
        `is ${outputSize} for an input of ${axis.input_size}`,
        `It is ${sizes.join(" to ")} here`,
      );
    }
    return layerAxis({ ...axis, output_padding });
  }

  function withOutputSize(operation, axis, outputSize) {
    if (!operation.adaptive) return reaching(axis, outputSize, isUnpooling(operation));
    const kernel_size = new AdaptiveAxis(axis.input_size, outputSize).window_sizes.at(-1);
    return layerAxis({ ...axis, kernel_size, output_size: outputSize });
  }

  // Layers

  class Layer {
    constructor(operation, axes, options = {}) {
      const { channels = null, padding_mode = "zeros", ceil_mode = false } = options;
      const { count_include_pad = true, norm = 2 } = options;
      Object.assign(this, { operation, axes, channels, padding_mode, ceil_mode, count_include_pad, norm });
      this.weighted = operation.operand === "kernel_values";
      this.reduction = operation.reduction;
      this.transposed = operation.transposed;
      this.windowAxes = axes.map((axis) => windowAxis(axis, this));
      this.direct = this.windowAxes.filter((axis) => axis instanceof DirectAxis);
      this.input_size = axes.map((axis) => axis.input_size);
      this.kernel_size = axes.map((axis) => axis.kernel_size);
      this.output_size = this.windowAxes.map((axis) => axis.output_size);
      this.input_shape = channels === null ? this.input_size : [channels.in_channels, ...this.input_size];
      this.output_shape = channels === null ? this.output_size : [channels.out_channels, ...this.output_size];
      this.kernel_shape = this.kernelShape();
    }

    get grid() {
      this.cachedGrid ??= this.windowAxes.map((axis) => axis.grid);
      return this.cachedGrid;
    }

    // What zero padding and inserted zeros count as; null where they do not count.
    get padding_value() {
      if (!this.count_include_pad) return null;
      return this.reduction === "maximum" ? -Infinity : 0;
    }

    // Input and output channels of each group.
    get per_group() {
      const { in_channels, out_channels, groups } = this.channels ?? { in_channels: 1, out_channels: 1, groups: 1 };
      return [in_channels / groups, out_channels / groups];
    }

    // With channels (out, in / groups, …), and (in, out / groups, …) in a transposed convolution.
    kernelShape() {
      if (this.channels === null) return this.kernel_size;
      const { in_channels, out_channels, groups } = this.channels;
      const [first, second] = this.transposed ? [in_channels, out_channels] : [out_channels, in_channels];
      return [first, second / groups, ...this.kernel_size];
    }

    // The channel parts of the (kernel index, input index) pairs that an output element depends on.
    channelIndices(outputIndex) {
      if (this.channels === null) return [[[], []]];
      const [ins, outs] = this.per_group;
      const first = floorDiv(outputIndex[0], outs) * ins;
      return range(0, ins).map((n) => [
        this.transposed ? [first + n, outputIndex[0] % outs] : [outputIndex[0], n],
        [first + n],
      ]);
    }

    // The same layer with a first axis of one element, along which nothing happens.
    withUnitAxis() {
      const axis = layerAxis({ input_size: 1, kernel_size: 1, output_size: 1 });
      return new Layer(this.operation, [axis, ...this.axes], this);
    }
  }

  // From keys to a layer

  const perAxis = (test) => (value) => test(value) || (Array.isArray(value) && value.every(test));
  const count = (value) => isWhole(value, 1);
  const natural = (value) => isWhole(value, 0);
  const side = (value) => natural(value) || (Array.isArray(value) && value.length === 2 && value.every(natural));
  const flag = (value) => typeof value === "boolean";
  const TESTS = {
    operation: (value) => typeof value === "string" && Object.hasOwn(operations, value),
    input_size: perAxis(count),
    kernel_size: perAxis(count),
    stride: perAxis(count),
    padding: (value) => tables.padding_names.includes(value) || perAxis(side)(value),
    padding_mode: (value) => tables.padding_modes.includes(value),
    dilation: perAxis(count),
    output_padding: perAxis(natural),
    output_size: perAxis(count),
    ceil_mode: flag,
    count_include_pad: flag,
    norm: (value) => isNumber(value) && 0.1 <= value && value <= 16,
    in_channels: count,
    out_channels: count,
    groups: count,
    input_values: Array.isArray,
    kernel_values: Array.isArray,
    indices: Array.isArray,
    values: (value) => value === "random",
    seed: (value) => Number.isInteger(value) && 0 <= value && value < 2 ** 32,
  };

  function shown(value) {
    const text = typeof value === "string" ? `'${value}'` : (JSON.stringify(value) ?? String(value));
    return text.length <= 40 ? text : `${text.slice(0, 20)}…${text.slice(-15)}`;
  }

  // The keys with defaults for those that are left out.
  function checked(given) {
    for (const [key, value] of Object.entries(given)) {
      if (!Object.hasOwn(TESTS, key)) {
        throw new LayerError(key, "is not a key of a layer", `The keys are ${Object.keys(TESTS).join(", ")}`);
      }
      if (!TESTS[key](value)) {
        throw new LayerError(key, `cannot be ${shown(value)}`, `It is ${tables.keys[key].description}`);
      }
    }
    const defaults = Object.entries(tables.keys).map(([key, field]) => [key, field.default]);
    return { ...Object.fromEntries(defaults), ...given };
  }

  function expand(key, value, n) {
    if (!Array.isArray(value)) return Array(n).fill(value);
    if (value.length !== n) {
      const rule = `has ${value.length} entries for ${n} axes`;
      throw new LayerError(key, rule, "Give one number, or one per axis of the input");
    }
    return value;
  }

  function channelsOf(keys) {
    const { in_channels, out_channels, groups } = keys;
    if (in_channels === null && out_channels === null && groups === 1) return null;
    if (in_channels === null || out_channels === null) {
      const key = in_channels === null ? "in_channels" : "out_channels";
      throw new LayerError(key, "is missing", "Give in_channels and out_channels, or neither of them nor groups");
    }
    for (const key of ["in_channels", "out_channels"]) {
      if (keys[key] % groups) {
        throw new LayerError("groups", `is ${groups} for ${key} = ${keys[key]}`, `It divides ${key} evenly`);
      }
    }
    return { in_channels, out_channels, groups };
  }

  function paddingOf(keys, n) {
    const given = typeof keys.padding === "string" ? 0 : keys.padding;
    const sides = Array.isArray(given) ? given : Array(n).fill(given);
    return expand("padding", sides.map((one) => (Array.isArray(one) ? one : [one, one])), n);
  }

  function paddedAxes(keys, operation, axes) {
    const name = typeof keys.padding === "string" ? keys.padding : null;
    if (name !== null && !operation.padding_names.includes(name)) {
      const rule = `'${name}' is no padding of ${keys.operation}`;
      throw new LayerError("padding", rule, "Use numbers, or transpose_of");
    }
    const found = name === null ? axes : axes.map((axis) => (operation.transposed ? transposedPadded : padded)(axis, name));
    if (operation.reduction !== null && !isSame(name)) {
      for (const axis of found) {
        if (Math.max(...axis.padding) >= axis.kernel_size) {
          const rule = `is ${Math.max(...axis.padding)} for a pooling window of ${axis.kernel_size}`;
          throw new LayerError("padding", rule, "It is less than that");
        }
      }
    }
    return found;
  }

  function sizedAxes(keys, operation, axes) {
    if (keys.output_size === null) return axes;
    const same = isSame(keys.padding) ? keys.padding : "";
    if (same || !(keys.output_padding === 0)) {
      const other = same ? `padding ${same}` : "output_padding";
      throw new LayerError("output_size", `is given beside ${other}`, "Remove one of the two keys");
    }
    const sizes = expand("output_size", keys.output_size, axes.length);
    return axes.map((axis, n) => withOutputSize(operation, axis, sizes[n]));
  }

  // For each key that only some operations have, the names of these.
  const OWNERS = {};
  for (const { name, keys } of Object.values(operations)) for (const key of keys) (OWNERS[key] ??= []).push(name);
  const hasKey = (operation, key) => !(key in OWNERS) || operation.keys.includes(key);

  // The layer that keys describe.
  function layerOf(given) {
    const keys = checked(given);
    if (keys.operation === null) {
      throw new LayerError("operation", "is missing", `It is one of ${Object.keys(operations).join(", ")}`);
    }
    const operation = operations[keys.operation];
    for (const [key, field] of Object.entries(tables.keys)) {
      const changed = key in given && JSON.stringify(given[key]) !== JSON.stringify(field.default);
      if (changed && !hasKey(operation, key)) {
        const rule = `does not belong to ${keys.operation}`;
        throw new LayerError(key, rule, `Only ${OWNERS[key].join(", ")} has it; remove the key`);
      }
    }
    const channelAxes = channelsOf(keys) === null ? 0 : 1;
    let size = keys.input_size;
    if (size === null && keys.input_values !== null) {
      size = array("input_values", keys.input_values).shape.slice(channelAxes);
    }
    if (size === null) throw new LayerError("input_size", "is missing", "Give one number, or one per axis");
    const sizes = Array.isArray(size) ? size : [size, size];
    const n = sizes.length;
    if (n < 1 || n > 3) throw new LayerError("input_size", `has ${n} axes`, "A layer has 1, 2 or 3");
    let kernel = keys.kernel_size;
    if (kernel === null && keys.kernel_values !== null) {
      kernel = array("kernel_values", keys.kernel_values).shape.slice(2 * channelAxes);
      if (kernel.length !== n) {
        const rule = `has ${kernel.length + 2 * channelAxes} axes for a layer of ${n}`;
        const remedy = "Give one level per axis; channels take in_channels and out_channels";
        throw new LayerError("kernel_values", rule, remedy);
      }
    }
    if (!operation.keys.includes("kernel_size")) kernel = sizes;
    if (kernel === null) throw new LayerError("kernel_size", "is missing", "Give one number, or one per axis");
    const each = {
      input_size: sizes,
      kernel_size: expand("kernel_size", kernel, n),
      stride: expand("stride", keys.stride, n),
      padding: paddingOf(keys, n),
      dilation: expand("dilation", keys.dilation, n),
      output_padding: expand("output_padding", keys.output_padding, n),
    };
    const axes = range(0, n).map((place) =>
      layerAxis(Object.fromEntries(Object.entries(each).map(([key, values]) => [key, values[place]]))),
    );
    const { padding_mode, ceil_mode, count_include_pad, norm } = keys;
    return new Layer(operation, sizedAxes(keys, operation, paddedAxes(keys, operation, axes)), {
      ...{ channels: channelsOf(keys), padding_mode, ceil_mode, count_include_pad, norm },
    });
  }

  // Values: arrays {shape, data}, the last axis fastest

  function array(key, values) {
    if (values.length === 0) throw new LayerError(key, "is empty", "Give nested lists of numbers, or leave it out");
    return { shape: nesting(key, values, []), data: values.flat(bounds.most_levels) };
  }

  const at = (place) => place.map((index) => `[${index}]`).join("");

  function nesting(key, value, place) {
    const most = bounds.most_value;
    if (!Array.isArray(value)) {
      if (!isNumber(value) || Math.abs(value) > most) {
        const rule = `holds ${shown(value)} at ${at(place)}`;
        throw new LayerError(key, rule, `Give nested lists of numbers from ${-most} to ${most}`);
      }
      return [];
    }
    if (place.length === bounds.most_levels) {
      throw new LayerError(key, `is nested more than ${bounds.most_levels} deep`, "Give one level per axis");
    }
    if (value.length === 0) {
      throw new LayerError(key, `has an empty list at ${at(place)}`, "Give nested lists of numbers");
    }
    const shapes = value.map((inner, index) => nesting(key, inner, [...place, index]));
    shapes.forEach((shape, index) => {
      if (!shape.length !== !shapes[0].length) {
        throw new LayerError(key, `mixes numbers and lists at ${at([...place, index])}`, "Give one level per axis");
      }
      if (String(shape) !== String(shapes[0])) {
        const rule = `its rows differ in length at ${at([...place, index])}`;
        throw new LayerError(key, rule, "Give nested lists of one shape");
      }
    });
    return [value.length, ...shapes[0]];
  }

  const ravel = (index, shape) => index.reduce((flat, n, axis) => flat * shape[axis] + n, 0);
  const indicesOf = (shape) => choices(shape.map((length) => range(0, length)));

  // The numbers of numpy.random.RandomState: MT19937, bits masked until they are in range.
  class RandomState {
    constructor(seed) {
      this.state = new Uint32Array(624);
      this.state[0] = seed;
      for (let n = 1; n < 624; n++) {
        const last = this.state[n - 1] ^ (this.state[n - 1] >>> 30);
        this.state[n] = Math.imul(1812433253, last) + n;
      }
      this.used = 624;
    }

    next() {
      const { state } = this;
      if (this.used === 624) {
        for (let n = 0; n < 624; n++) {
          const mixed = (state[n] & 0x80000000) | (state[(n + 1) % 624] & 0x7fffffff);
          state[n] = state[(n + 397) % 624] ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
        }
        this.used = 0;
      }
      let bits = state[this.used++];
      bits ^= bits >>> 11;
      bits ^= (bits << 7) & 0x9d2c5680;
      bits ^= (bits << 15) & 0xefc60000;
      return (bits ^ (bits >>> 18)) >>> 0;
    }

    // A whole number from 0 to `most`.
    upTo(most) {
      if (most === 0) return 0;
      const mask = 2 ** (32 - Math.clz32(most)) - 1;
      for (;;) {
        const value = (this.next() & mask) >>> 0;
        if (value <= most) return value;
      }
    }

    // Whole numbers from `low` up to, and without, `high`.
    randint(low, high, shape) {
      return { shape, data: range(0, product(shape)).map(() => low + this.upTo(high - 1 - low)) };
    }

    permutation(length) {
      const order = range(0, length);
      for (let n = length - 1; n > 0; n--) {
        const other = this.upTo(n);
        [order[n], order[other]] = [order[other], order[n]];
      }
      return order;
    }
  }

  // For each input element of an unpooling, by its flat index, the places in the flattened output that its window covers.
  function coveredPlaces(layer) {
    const covered = range(0, product(layer.input_shape)).map(() => []);
    choices(layer.grid.map((axis) => axis.windows)).forEach((windows, place) => {
      for (const elements of choices(windows)) {
        covered[ravel(elements.map((element) => element.position), layer.input_shape)].push(place);
      }
    });
    return covered;
  }

  function randomValues(layer, random, input, operand) {
    if (layer.weighted) {
      return [
        input ?? random.randint(0, 6, layer.input_shape),
        operand ?? random.randint(-2, 3, layer.kernel_shape),
      ];
    }
    if (!isUnpooling(layer.operation) || input !== null || operand !== null) {
      return [input ?? random.randint(0, 6, layer.input_shape), operand];
    }
    const pooled = random.randint(0, 6, layer.output_shape).data;
    const order = random.permutation(pooled.length);
    const places = coveredPlaces(layer).map((found) =>
      found.reduce((best, place) => (order[place] > order[best] ? place : best)),
    );
    const shape = layer.input_shape;
    return [{ shape, data: places.map((place) => pooled[place]) }, { shape, data: places }];
  }

  function checkIndices(layer, input, indices) {
    if (!indices.data.every(Number.isInteger)) {
      const rule = "holds something else than whole numbers";
      throw new LayerError("indices", rule, "Give places in the flattened output");
    }
    const covered = coveredPlaces(layer);
    const taken = new Map();
    indicesOf(layer.input_shape).forEach((index, n) => {
      const [place, value] = [indices.data[n], input.data[n]];
      if (!covered[n].includes(place)) {
        const remedy = `Its window holds ${covered[n].join(", ")} of the flattened output`;
        throw new LayerError("indices", `puts element ${listed(index)} at ${place}`, remedy);
      }
      if (taken.has(place) && taken.get(place) !== value) {
        throw new LayerError("indices", `puts ${taken.get(place)} and ${value} at ${place}`, "One place takes one value");
      }
      taken.set(place, value);
    });
  }

  function givenValues(key, values, shape) {
    if (values === null) return null;
    const found = array(key, values);
    if (String(found.shape) !== String(shape)) {
      throw new LayerError(key, `has the shape ${listed(found.shape)}`, `The layer's is ${listed(shape)}`);
    }
    return found;
  }

  function checkExtent(layer) {
    const count = product(layer.output_shape);
    const window = product(layer.kernel_size) * layer.per_group[0];
    const cells = Math.max(
      product(layer.windowAxes.map((axis) => axis.extent)), product(layer.input_shape), product(layer.kernel_shape),
    );
    if (count > bounds.most_frames) {
      const remedy = `Values and frames are computed for at most ${bounds.most_frames}`;
      throw new LayerError("input_size", `gives ${count} output elements`, remedy);
    }
    if (count * window > bounds.most_terms) {
      const remedy = `All windows together have at most ${bounds.most_terms}`;
      throw new LayerError("kernel_size", `gives ${count} windows of ${window} elements`, remedy);
    }
    if (cells > bounds.most_cells) {
      const remedy = `Values and frames are computed for at most ${bounds.most_cells}`;
      throw new LayerError("input_size", `gives a grid of ${cells} cells`, remedy);
    }
    return layer.grid;
  }

  // The terms of an output element: its window but for what hangs over the padding.  `input_index` is null for padding and
  // inserted zeros, and for an input element that an unpooling with `indices` puts elsewhere.
  function terms(layer, outputIndex, indices = null) {
    const n = layer.axes.length;
    const spatial = outputIndex.slice(-n);
    const lists = layer.grid.map((axis, place) =>
      axis.windows[spatial[place]]
        .map((element) => ({ ...element, ...axis.cells[element.position] }))
        .filter((element) => element.kind !== "overhang"),
    );
    const place = indices === null ? null : ravel(outputIndex, layer.output_shape);
    return layer.channelIndices(outputIndex).flatMap(([kernelChannel, inputChannel]) =>
      choices(lists).map((elements) => {
        let input_index = elements.some((element) => element.input_index === null)
          ? null
          : [...inputChannel, ...elements.map((element) => element.input_index)];
        if (place !== null && indices.data[ravel(input_index, indices.shape)] !== place) input_index = null;
        return {
          position: elements.map((element) => element.position),
          kernel_index: [...kernelChannel, ...elements.map((element) => element.kernel_index)],
          input_index,
        };
      }),
    );
  }

  // What an output element is: `values` are those of the input elements in its window, `weights` the kernel's over them,
  // and `count` the elements of the window that lie in the grid.
  function reduced(layer, values, weights, count) {
    switch (layer.reduction) {
      case "maximum":
        return values.reduce((most, value) => Math.max(most, value), -Infinity);
      case "average":
        return sum(values) / Math.max(layer.count_include_pad ? count : values.length, 1);
      case "norm":
        return sum(values.map((value) => Math.abs(value) ** layer.norm)) ** (1 / layer.norm);
      default:
        return values.reduce((total, value, n) => total + value * weights[n], 0);
    }
  }

  // The output's values, from those of the input and of the kernel or of an unpooling's indices.
  function outputValues(layer, input, operand) {
    const shape = layer.output_shape;
    if (isUnpooling(layer.operation)) {
      const data = Array(product(shape)).fill(0);
      operand.data.forEach((place, n) => (data[place] = input.data[n]));
      return { shape, data };
    }
    const n = layer.axes.length;
    // For each axis and output element: the kernel indices and input indices (or -1) of the window, in the grid.
    const windows = layer.grid.map((axis) =>
      axis.windows.map((window) =>
        window
          .map(({ position, kernel_index }) => ({ kernel_index, ...axis.cells[position] }))
          .filter(({ kind }) => kind !== "overhang")
          .map(({ kernel_index, input_index }) => [kernel_index, input_index ?? -1]),
      ),
    );
    const { input_size, kernel_size } = layer;
    let [values, weights, count] = [[], [], 0];

    function gather(axis, index, kernelPlace, inputPlace) {
      if (axis === n) {
        count++;
        if (inputPlace < 0) return;
        values.push(input.data[inputPlace]);
        if (operand !== null) weights.push(operand.data[kernelPlace]);
        return;
      }
      for (const [k, i] of windows[axis][index[axis]]) {
        const place = i < 0 || inputPlace < 0 ? -1 : inputPlace * input_size[axis] + i;
        gather(axis + 1, index, kernelPlace * kernel_size[axis] + k, place);
      }
    }

    const data = indicesOf(shape).map((index) => {
      [values, weights, count] = [[], [], 0];
      const spatial = index.slice(-n);
      for (const [kernelChannel, inputChannel] of layer.channelIndices(index)) {
        gather(0, spatial, ravel(kernelChannel, layer.kernel_shape), ravel(inputChannel, layer.input_shape));
      }
      return reduced(layer, values, weights, count);
    });
    return { shape, data };
  }

  // The layer that keys describe, with its values {input, operand, output}; each is null where the keys give none.
  function figure(given) {
    const layer = layerOf(given);
    const keys = checked(given);
    const key = layer.operation.operand;
    if (["input_values", "kernel_values", "indices", "values", "seed"].some((name) => name in given)) checkExtent(layer);
    let input = givenValues("input_values", keys.input_values, layer.input_shape);
    let operand = key === null ? null : givenValues(key, keys[key], layer.weighted ? layer.kernel_shape : layer.input_shape);
    if (keys.values === "random") [input, operand] = randomValues(layer, new RandomState(keys.seed), input, operand);
    if (key !== null && (input === null) !== (operand === null)) {
      const missing = operand === null ? key : "input_values";
      const words = layer.operation.words[0].toUpperCase() + layer.operation.words.slice(1);
      throw new LayerError(missing, "is missing", `${words} needs both input_values and ${key}, or neither`);
    }
    if (isUnpooling(layer.operation) && input !== null) checkIndices(layer, input, operand);
    return { layer, input, operand, output: input === null ? null : outputValues(layer, input, operand) };
  }

  // The inverse: all layers within bounds that turn an input size into an output size, the most usual first

  const USUAL = tables.usual;

  function usualBounds(inputSize, outputSize) {
    const ratios = inputSize.map((i, n) => ceilDiv(Math.max(i, outputSize[n]), Math.min(i, outputSize[n])));
    const ratio = Math.max(...ratios);
    return { kernel_size: Math.max(7, ratio), stride: Math.max(4, ratio), padding: 3, dilation: 2 };
  }

  function solutions(inputSize, outputSize, limits) {
    const pairs = inputSize.map((i, n) => [i, outputSize[n]]);
    const distinct = [...new Map(pairs.map((pair) => [String(pair), pair])).values()];
    const found = [];
    for (const name of USUAL.operations) {
      const byPair = distinct.map(([i, o]) => solvedAxes(operations[name], i, o, limits));
      for (const chosen of choices(byPair)) {
        const axes = new Map(distinct.map((pair, n) => [String(pair), chosen[n].axis]));
        const ceil_mode = chosen.some((one) => one.ceil_mode);
        const layer = new Layer(operations[name], pairs.map((pair) => axes.get(String(pair))), { ceil_mode });
        if (String(layer.output_size) === String(outputSize)) found.push(layer);
      }
    }
    const keyed = found.map((layer) => [unusualness(layer), layer]);
    keyed.sort(([a], [b]) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    return keyed.map(([, layer]) => layer);
  }

  // The output sizes of all layers within bounds over one axis, in order.
  function reachable(inputSize, limits) {
    const sizes = new Set();
    for (const name of USUAL.operations) {
      for (const axis of candidates(inputSize, limits)) {
        for (const layer of candidateLayers(operations[name], axis)) {
          const [size] = layer.output_size;
          const more = layer.transposed ? Math.max(axis.stride, axis.dilation) : 1;
          range(size, size + more).forEach((one) => sizes.add(one));
        }
      }
    }
    return [...sizes].sort((a, b) => a - b);
  }

  function solvedAxes(operation, inputSize, outputSize, limits) {
    return candidates(inputSize, limits).flatMap((candidate) => {
      const axis = { ...candidate };
      if (operation.transposed) axis.output_padding = outputSize - scatteredSize(axis);
      return candidateLayers(operation, axis)
        .filter((layer) => layer.output_size[0] === outputSize)
        .map((layer) => ({ axis, ceil_mode: layer.ceil_mode }));
    });
  }

  function candidates(inputSize, limits) {
    return range(1, limits.kernel_size + 1).flatMap((kernel_size) =>
      choices([
        range(1, limits.stride + 1),
        range(0, limits.padding + 1),
        range(1, kernel_size > 1 ? limits.dilation + 1 : 2),
      ]).map(([stride, padding, dilation]) =>
        layerAxis({ input_size: inputSize, kernel_size, stride, padding: [padding, padding], dilation }),
      ),
    );
  }

  // The layers of an operation along an axis: none, one, or two where `ceil_mode` changes the size.
  function candidateLayers(operation, axis) {
    if (operation.reduction !== null && 2 * Math.max(...axis.padding) > axis.kernel_size) return [];
    if (operation.reduction === "average" && axis.dilation > 1) return [];
    const found = [];
    for (const ceil_mode of operation.keys.includes("ceil_mode") ? [false, true] : [false]) {
      try {
        const layer = new Layer(operation, [axis], { ceil_mode });
        if (found.every((other) => other.output_size[0] !== layer.output_size[0])) found.push(layer);
      } catch (error) {
        if (!(error instanceof LayerError)) throw error;
      }
    }
    return found;
  }

  function unusualness(layer) {
    const { axes } = layer;
    const leftOver = (axis) => !axis.ceil_mode && axis.remainder > Math.max(axis.padding[1], 0);
    const misses = axes.some((axis) => axis.stride > reach(axis) + 1) || layer.direct.some(leftOver);
    const kinds = ["kernel_size", "stride", "dilation", "padding"];
    const different = sum(kinds.map((key) => new Set(axes.map((axis) => String(axis[key]))).size - 1));
    const each = axes.map((axis) => {
      const usual = USUAL.kernels.indexOf(axis.kernel_size);
      const fitting = Math.max(ceilDiv(reach(axis) + 1 - axis.stride, 2), 0);
      return (
        4 * Math.abs(axis.padding[0] - fitting) + 30 * (axis.dilation - 1) + 2 * axis.output_padding +
        (usual >= 0 ? usual : 6 + axis.kernel_size)
      );
    });
    const score = 100 * misses + 5 * different + 4 * layer.ceil_mode + sum(each);
    return [score, USUAL.operations.indexOf(layer.operation.name), sum(axes.map((axis) => axis.stride))];
  }

  return {
    ...{ LayerError, Layer, layerAxis, layerOf, hasKey, figure, terms, checkExtent, reach, scatteredSize, namedPadding, ravel, indicesOf },
    ...{ usualBounds, solutions, reachable, range, sum, product, choices, listed, isWhole },
  };
}
