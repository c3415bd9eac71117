// Layers as PyTorch, Keras, JAX and ONNX write them, in JavaScript.
//
// `notation(tables, arithmetic)` is a port of scripts/notation: `read` turns a text into the keys of a figure's file,
// `written` a layer into code.  The text is data: it is parsed, never evaluated.  tests/test_site_notation.py holds both
// equal.
"use strict";

function notation(tables, arithmetic) {
  const { LayerError, layerAxis, scatteredSize, reach, range, isWhole, namedPadding } = arithmetic;
  const { patterns } = tables;
  const POSITIVE = tables.keys.stride.description;
  const NATURAL = tables.keys.output_padding.description;
  const COUNT = tables.keys.groups.description;
  const SWITCH = tables.keys.ceil_mode.description;

  // A text that is no layer, or none that can be drawn.
  class NotationError extends Error {}

  // Expressions of Python: {type: "constant" | "name" | "attribute" | "call" | "tuple" | "list" | "other", …}

  const TOKEN = new RegExp(
    [
      String.raw`\s+|#[^\n]*`,
      String.raw`(?<number>(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)`,
      String.raw`(?<string>'(?:\\[^]|[^'\\\n])*'|"(?:\\[^]|[^"\\\n])*")`,
      String.raw`(?<name>[\p{L}_][\p{L}\p{N}_]*)`,
      String.raw`(?<mark>\*\*|\/\/|==|!=|<=|>=|<<|>>|->|:=|[-+*\/%@&|^~<>()\[\]{},:.=])`,
    ].join("|"),
    "uy",
  );

  const DEEPEST = 200;

  function tokens(text) {
    const found = [];
    let depth = 0;
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.length) {
      const match = TOKEN.exec(text);
      // A line ends an expression, unless it is in brackets.
      if (match === null || (depth === 0 && /^\s*[\n\r]/.test(match[0]))) throw new SyntaxError("not an expression");
      const [type, value] = Object.entries(match.groups).find(([, part]) => part !== undefined) ?? [null];
      if (type === "mark") depth += "([{".includes(value) - ")]}".includes(value);
      if (depth > DEEPEST) throw new SyntaxError("nested too deeply");
      if (type !== null) found.push({ type, value });
    }
    return found;
  }

  class Parser {
    constructor(found) {
      Object.assign(this, { found, place: 0 });
    }

    get next() {
      return this.found[this.place] ?? { type: "end", value: "" };
    }

    is(...marks) {
      return this.next.type === "mark" && marks.includes(this.next.value);
    }

    skip(mark) {
      if (!this.is(mark)) throw new SyntaxError(`no ${mark}`);
      this.place++;
    }

    // The whole text as one expression, or as several with commas between.
    all() {
      const { items, commas } = this.items("end");
      if (this.next.type !== "end" || !items.length) throw new SyntaxError("more than an expression");
      return commas ? { type: "tuple", items } : items[0];
    }

    items(...ends) {
      const items = [];
      let commas = 0;
      while (!this.is(...ends) && this.next.type !== "end") {
        const starred = this.is("*");
        if (starred) this.skip("*");
        const item = this.expression();
        items.push(starred ? { type: "other" } : item);
        if (!this.is(",")) break;
        this.skip(",");
        commas++;
      }
      return { items, commas };
    }

    expression() {
      let left = this.unary();
      while (this.is("+", "-", "*", "/", "//", "%", "**", "@", "&", "|", "^", "<<", ">>", "==", "!=", "<", ">", "<=", ">=")) {
        this.place++;
        this.unary();
        left = { type: "other" };
      }
      return left;
    }

    unary() {
      if (this.is("-", "+", "~")) {
        const [sign] = [this.next.value, this.place++];
        const inner = this.unary();
        if (inner.type !== "constant" || inner.signed || !isNumeric(inner.value) || sign === "~") return { type: "other" };
        return { type: "constant", value: sign === "-" ? negated(inner.value) : inner.value, signed: true };
      }
      return this.postfix(this.atom());
    }

    postfix(start) {
      let inner = start;
      for (;;) {
        if (this.is(".")) {
          this.skip(".");
          if (this.next.type !== "name") throw new SyntaxError("no name after a dot");
          inner = { type: "attribute", inner, name: this.next.value };
          this.place++;
        } else if (this.is("(")) {
          inner = this.call(inner);
        } else if (this.is("[")) {
          this.skip("[");
          this.items("]");
          this.skip("]");
          inner = { type: "other" };
        } else {
          return inner;
        }
      }
    }

    call(called) {
      this.skip("(");
      const positional = [];
      const keywords = [];
      while (!this.is(")")) {
        const after = this.found[this.place + 1];
        if (this.is("**")) {
          this.skip("**");
          keywords.push({ name: "**", value: this.expression() });
        } else if (this.is("*")) {
          this.skip("*");
          this.expression();
          positional.push({ type: "other" });
        } else if (this.next.type === "name" && after?.type === "mark" && after.value === "=") {
          const name = this.next.value;
          this.place += 2;
          keywords.push({ name, value: this.expression() });
        } else {
          if (keywords.length) throw new SyntaxError("a positional argument after a keyword");
          positional.push(this.expression());
        }
        if (this.is(",")) this.skip(",");
        else break;
      }
      this.skip(")");
      return { type: "call", called, positional, keywords };
    }

    atom() {
      const { type, value } = this.next;
      this.place++;
      if (type === "number") return { type: "constant", value: number(value) };
      if (type === "string") return { type: "constant", value: string(value) };
      if (type === "name") {
        if (Object.hasOwn(CONSTANTS, value)) return { type: "constant", value: CONSTANTS[value] };
        if (RESERVED.has(value)) throw new SyntaxError(`${value} is no name`);
        return { type: "name", name: value };
      }
      if (type === "mark" && value === "(") {
        const { items, commas } = this.items(")");
        this.skip(")");
        return commas || !items.length ? { type: "tuple", items } : items[0];
      }
      if (type === "mark" && value === "[") {
        const { items } = this.items("]");
        this.skip("]");
        return { type: "list", items };
      }
      if (type === "mark" && value === "{") return this.braces();
      throw new SyntaxError("no expression");
    }

    // A dictionary or a set, which is no argument that is read.
    braces() {
      while (!this.is("}")) {
        this.expression();
        if (this.is(":")) {
          this.skip(":");
          this.expression();
        }
        if (this.is(",")) this.skip(",");
        else break;
      }
      this.skip("}");
      return { type: "other" };
    }
  }

  const CONSTANTS = { None: null, True: true, False: false };
  const RESERVED = new Set(
    "and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield".split(" "),
  );

  // A number with a point or an exponent is no whole number, whatever its value.
  class Float {
    constructor(value) {
      this.value = value;
    }
  }
  const isNumeric = (value) => typeof value === "number" || value instanceof Float;
  const negated = (value) => (value instanceof Float ? new Float(-value.value) : -value);

  function number(text) {
    if (/_$|__|_\./.test(text)) throw new SyntaxError("no number");
    const plain = text.replaceAll("_", "");
    if (/[.e]/i.test(plain)) return new Float(Number(plain));
    if (/^0+[1-9]/.test(plain)) throw new SyntaxError("no number");
    return Number(plain);
  }

  const string = (text) => text.slice(1, -1).replace(/\\(['"\\])/g, "$1");

  // A value as Python prints it, shortened if long.
  function repr(value) {
    if (value === null) return "None";
    if (typeof value === "boolean") return value ? "True" : "False";
    if (value instanceof Float) return Number.isInteger(value.value) ? `${value.value}.0` : String(value.value);
    if (typeof value === "string") {
      const quoted = value.includes("'") && !value.includes('"') ? `"${value}"` : `'${value.replaceAll("'", "\\'")}'`;
      return quoted.length > 30 ? `${quoted.slice(0, 13)}...${quoted.slice(-14)}` : quoted;
    }
    if (Array.isArray(value)) {
      const items = value.slice(0, 6).map(repr).concat(value.length > 6 ? ["..."] : []).join(", ");
      if (!value.tuple) return `[${items}]`;
      return value.length === 1 ? `(${items},)` : `(${items})`;
    }
    return String(value);
  }

  // The plain value of an expression; undefined for others.
  function plain(expression) {
    if (expression.type === "constant") return expression.value;
    if (expression.type !== "tuple" && expression.type !== "list") return undefined;
    const items = expression.items.map(plain);
    if (items.includes(undefined)) return undefined;
    return expression.type === "tuple" ? Object.assign(items, { tuple: true }) : items;
  }

  // Calls

  // Python's \w holds the letters of all scripts.
  const WORD = String.raw`\p{L}\p{N}_`;
  const pattern = (source) => source.replaceAll("[\\w", `[${WORD}`).replaceAll("\\w", `[${WORD}]`);
  const LABEL = new RegExp(`^(?:${pattern(patterns.label)})`, "u");
  const NODE = new RegExp(`^(?:${pattern(patterns.node)})$`, "su");
  const TYPE = new RegExp(pattern(patterns.type), "gu");
  const UNKNOWN_CHANNELS = new RegExp(pattern(patterns.unknown_channels), "gu");

  // A printed ONNX node as a call of its operator, and a printed lazy layer as a call of its constructor.
  function asCall(text) {
    const source = text.replace(UNKNOWN_CHANNELS, "$1");
    const node = NODE.exec(source);
    if (node === null || !tables.operators.includes(node[1].split(".").at(-1))) return source;
    return `${node[1]}(${(node[2] || node[3] || "").replace(TYPE, "$1=")})`;
  }

  function called(expression) {
    if (expression.type === "name") return expression.name;
    let inner = expression;
    while (inner.type === "attribute") inner = inner.inner;
    return expression.type === "attribute" && inner.type === "name" ? expression.name : null;
  }

  // The call in a text {name, positional, keywords}; null if the text is not one.
  function parse(text) {
    const most = tables.most_characters;
    if ([...text].length > most) {
      throw new NotationError(`A layer of ${[...text].length} characters is too long. Use at most ${most}.`);
    }
    const source = asCall(text.trim().replace(/[,; \t\r\n]+$/, "")).replace(LABEL, "").trimStart();
    let expression;
    try {
      expression = new Parser(tokens(source)).all();
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof RangeError) return null;
      throw error;
    }
    if (expression.type === "tuple" && expression.items.length === 1) [expression] = expression.items;
    if (expression.type === "call" && expression.called.type === "call") expression = expression.called;
    if (expression.type === "call" && tables.wrappers.includes(called(expression.called))) {
      expression = expression.positional.find((inner) => inner.type === "call") ?? expression;
    }
    if (expression.type !== "call") return null;
    const name = called(expression.called);
    return name === null ? null : { name, positional: expression.positional, keywords: expression.keywords };
  }

  // Arguments, each checked when it is read

  const wrong = (name, value, description) => new LayerError(name, `cannot be ${repr(value)}`, `It is ${description}`);

  class Arguments {
    constructor(given, inputSize, channels = null) {
      Object.assign(this, { given, inputSize, channels, n: inputSize.length });
    }

    // A plain value; null stands for the default.
    value(name, otherwise = null) {
      const expression = this.given[name];
      if (expression === undefined) return otherwise;
      if (expression.type === "name") return expression.name; // PyTorch prints words without quotes
      const value = plain(expression);
      if (value === undefined) {
        throw new LayerError(name, "is not a plain value", "Write numbers, lists of numbers, or a word");
      }
      return value ?? otherwise;
    }

    // One value per axis, or `sides` per axis; a single value is repeated.
    perAxis(name, otherwise = null, sides = 1) {
      const value = this.value(name, otherwise);
      const values = Array.isArray(value) ? [...value] : Array(sides * this.n).fill(value);
      if (values.length !== sides * this.n) {
        const rule = `has ${values.length} entries for ${this.n} ${this.n === 1 ? "axis" : "axes"}`;
        throw new LayerError(name, rule, `Give one number, or ${sides === 1 ? "one" : sides} per axis`);
      }
      return values;
    }

    sizes(name, otherwise = null, least = 1, sides = 1) {
      const sizes = this.perAxis(name, otherwise, sides);
      for (const size of sizes) if (!isWhole(size, least)) throw wrong(name, size, least ? POSITIVE : NATURAL);
      return sizes;
    }

    norm(name) {
      const value = this.value(name, 2);
      const size = value instanceof Float ? value.value : value;
      if (typeof size !== "number" || !(0.1 <= size && size <= 16)) {
        throw wrong(name, value, tables.keys.norm.description);
      }
      return size;
    }

    // True or false; ONNX writes 1 and 0.
    flag(name, otherwise) {
      const value = this.value(name, otherwise);
      if (![0, 1, true, false].includes(value)) throw wrong(name, value, SWITCH);
      return Boolean(value);
    }

    word(name, words) {
      const value = this.value(name, words[0]);
      if (!words.includes(value)) {
        throw wrong(name, value, words.length > 1 ? `one of ${words.join(", ")}` : `always ${words[0]}`);
      }
      return value;
    }
  }

  // The keys of a convolution's channels; none if it has one input and one output channel.
  function channelKeys(in_channels, out_channels, groups) {
    const keys = { in_channels, out_channels, groups };
    for (const [key, value] of Object.entries(keys)) if (!isWhole(value, 1)) throw wrong(key, value, COUNT);
    for (const key of ["in_channels", "out_channels"]) {
      if (keys[key] % groups) {
        throw new LayerError("groups", `is ${groups} for ${key} = ${keys[key]}`, `It divides ${key} evenly`);
      }
    }
    return in_channels === 1 && out_channels === 1 ? {} : keys;
  }

  // Frameworks that choose the padding of a transposed convolution by the size of its output

  const uncropped = (inputSize, keys) =>
    inputSize.map((input_size, n) =>
      layerAxis({
        input_size,
        kernel_size: keys.kernel_size[n],
        stride: keys.stride[n],
        dilation: keys.dilation[n],
        output_padding: keys.output_padding?.[n] ?? 0,
      }),
    );

  function croppedTo(key, axes, sizes, oddAfter = true) {
    const found = { padding: [], output_padding: [] };
    axes.forEach((axis, n) => {
      const surplus = scatteredSize(axis) + axis.output_padding - sizes[n];
      const less = Math.floor(Math.max(surplus, 0) / 2);
      const more = Math.max(surplus, 0) - less;
      const added = axis.output_padding + Math.max(-surplus, 0);
      const most = Math.max(axis.stride, axis.dilation) - 1;
      if (sizes[n] < 1 || added > most) {
        const remedy = `It is 1 to ${scatteredSize(axis) + most} for this input`;
        throw new LayerError(key, `asks for an output size of ${sizes[n]}`, remedy);
      }
      found.padding.push(oddAfter ? [less, more] : [more, less]);
      found.output_padding.push(added);
    });
    return found;
  }

  // PyTorch

  function torchConvolution(layer, given) {
    const [kernel_size, stride] = [given.sizes("kernel_size"), given.sizes("stride", 1)];
    return {
      ...{ kernel_size, stride, padding: torchPadding(given, stride), ...torchChannels(layer, given) },
      padding_mode: given.word("padding_mode", tables.padding_modes),
      dilation: given.sizes("dilation", 1),
    };
  }

  function torchPadding(given, stride) {
    if (typeof given.value("padding") !== "string") return given.sizes("padding", 0, 0);
    if (given.word("padding", ["valid", "same"]) === "valid") return 0;
    if (Math.max(...stride) > 1) {
      const rule = `is 'same' with stride ${repr(stride)}`;
      throw new LayerError("padding", rule, "PyTorch allows it for stride 1 only");
    }
    return "same_upper";
  }

  function standardized(layer, given) {
    if (given.value("padding") === null && Math.max(...given.sizes("kernel_size")) > 1) {
      const remedy = `${layer.name} works it out; write the padding that it prints, or 0`;
      throw new LayerError("padding", "is missing", remedy);
    }
    return torchConvolution(layer, given);
  }

  function paddedByItself(layer, given) {
    const padding = given.value("padding", "same");
    const isSame = typeof padding === "string" && padding.toLowerCase() === "same";
    return layer.name !== "Conv2dSame" && !isSame ? torchConvolution(layer, given) : same(torchConvolution, layer, given);
  }

  function same(read, layer, given) {
    const { padding, ...others } = given.given;
    return { ...read(layer, new Arguments(others, given.inputSize, given.channels)), padding: "same_upper" };
  }

  const torchTransposed = (layer, given) => ({
    kernel_size: given.sizes("kernel_size"),
    stride: given.sizes("stride", 1),
    padding: given.sizes("padding", 0, 0),
    ...torchChannels(layer, given),
    padding_mode: given.word("padding_mode", ["zeros"]),
    dilation: given.sizes("dilation", 1),
    output_padding: given.sizes("output_padding", 0, 0),
  });

  function torchChannels(layer, given) {
    const named = layer.required.includes("in_channels");
    const ins = named ? given.value("in_channels") : given.channels;
    if (ins === null && !named) return {};
    return channelKeys(ins, given.value("out_channels"), given.value("groups", 1));
  }

  function torchPooling(layer, given) {
    const [kernel_size, padding] = [given.sizes("kernel_size"), given.sizes("padding", 0, 0)];
    padding.forEach((size, n) => {
      if (layer.operation !== "max_unpooling" && 2 * size > kernel_size[n]) {
        const rule = `is ${size} for a pooling window of ${kernel_size[n]}`;
        const remedy = "PyTorch allows at most half of that; ONNX and figure files allow less than all of it";
        throw new LayerError("padding", rule, remedy);
      }
    });
    if (given.value("divisor_override") !== null) {
      throw new LayerError("divisor_override", "cannot be drawn", "Remove it");
    }
    return {
      kernel_size,
      stride: given.sizes("stride", kernel_size),
      padding,
      dilation: given.sizes("dilation", 1),
      ceil_mode: given.flag("ceil_mode", false),
      count_include_pad: given.flag("count_include_pad", true),
      norm: given.norm("norm_type"),
    };
  }

  function adaptivePooling(layer, given) {
    const asked = given.perAxis("output_size").map((wanted, n) => wanted ?? given.inputSize[n]);
    const sizes = { type: "list", items: asked.map((value) => ({ type: "constant", value })) };
    const output_size = new Arguments({ output_size: sizes }, given.inputSize).sizes("output_size");
    if (Math.max(...output_size) === 1) return { operation: `global_${layer.operation}` };
    if (given.inputSize.some((size, n) => size % output_size[n])) {
      return { operation: `adaptive_${layer.operation}`, output_size };
    }
    const window = given.inputSize.map((size, n) => size / output_size[n]);
    return { kernel_size: window, stride: window };
  }

  // Keras

  function kerasWindow(given) {
    const [kernel_size, stride] = [given.sizes("kernel_size"), given.sizes("strides", 1)];
    const dilation = given.sizes("dilation_rate", 1);
    if (Math.max(...stride) > 1 && Math.max(...dilation) > 1) {
      const rule = `is ${repr(dilation)} with strides ${repr(stride)}`;
      throw new LayerError("dilation_rate", rule, "Keras allows only one of them to exceed 1");
    }
    return { kernel_size, stride, dilation };
  }

  function kerasPadding(given, names) {
    const value = given.value("padding");
    const lower = typeof value === "string" ? value.toLowerCase() : value;
    return new Arguments({ padding: { type: "constant", value: lower } }, given.inputSize).word("padding", names);
  }

  function kerasConvolution(layer, given) {
    const keys = { ...kerasWindow(given), ...kerasChannels(layer, given) };
    const names = { valid: 0, same: "same_upper" };
    if (["Conv1D", "Convolution1D"].includes(layer.name)) names.causal = "causal";
    return { ...keys, padding: names[kerasPadding(given, Object.keys(names))] };
  }

  // Keras fixes the size of the output, and TensorFlow crops what exceeds it.
  function kerasTransposed(layer, given) {
    const keys = { ...kerasWindow(given), ...kerasChannels(layer, given) };
    const isSame = kerasPadding(given, ["valid", "same"]) === "same";
    const axes = uncropped(given.inputSize, keys);
    let sizes;
    if (given.value("output_padding") === null) {
      if (isSame) return { ...keys, padding: "same_upper" };
      sizes = axes.map((axis) => axis.input_size * axis.stride + Math.max(reach(axis) + 1 - axis.stride, 0));
    } else {
      const added = given.sizes("output_padding", 0, 0);
      axes.forEach((axis, n) => {
        if (added[n] >= axis.stride) {
          const rule = `is ${added[n]} with strides ${axis.stride}`;
          throw new LayerError("output_padding", rule, "Keras requires less than the stride");
        }
      });
      const cropped = (axis) => (isSame ? 2 * Math.floor((reach(axis) + 1) / 2) : 0);
      sizes = axes.map((axis, n) => scatteredSize(axis) - cropped(axis) + added[n]);
    }
    return { ...keys, ...croppedTo("output_padding", axes, sizes) };
  }

  // The channels where the input's are given, since Keras has no argument for them; else a note of what is known.
  function kerasChannels(layer, given) {
    if (layer.arguments.includes("depth_multiplier")) return kerasDepthwise(layer, given);
    const [filters, groups] = [given.value("filters"), given.value("groups", 1)];
    const keys = channelKeys(given.channels ?? groups, filters, groups);
    if (given.channels !== null) return keys;
    return filters > 1 ? { note: `One of ${filters} output channels is shown.` } : {};
  }

  function kerasDepthwise(layer, given) {
    const multiplier = given.value("depth_multiplier", 1);
    channelKeys(1, multiplier, 1);
    let keys = {};
    const notes = [];
    if (given.channels === null) notes.push("One channel is shown; each has a kernel of its own.");
    else keys = channelKeys(given.channels, given.channels * multiplier, given.channels);
    if (layer.required.includes("filters")) {
      const filters = given.value("filters");
      channelKeys(1, filters, 1);
      notes.push(`This is the depthwise half. A pointwise convolution to ${filters} channels follows.`);
    }
    return { ...keys, note: notes.join(" ") };
  }

  function kerasPooling(layer, given) {
    const kernel_size = given.sizes("pool_size", 2);
    const stride = given.sizes("strides", kernel_size);
    const padding = { valid: 0, same: "same_upper" }[kerasPadding(given, ["valid", "same"])];
    const count_include_pad = layer.operation !== "average_pooling" || padding === 0;
    return { kernel_size, stride, padding, count_include_pad };
  }

  // ONNX

  const SAME = { SAME_UPPER: "same_upper", SAME_LOWER: "same_lower" };
  const automatic = (given) => given.word("auto_pad", ["NOTSET", "VALID", ...Object.keys(SAME)]);

  const onnxWindow = (layer, given) => ({
    ...onnxPadded(given),
    ceil_mode: given.flag("ceil_mode", false),
    count_include_pad: given.flag("count_include_pad", layer.operation !== "average_pooling"),
    norm: given.norm("p"),
  });

  function onnxPadded(given) {
    const name = automatic(given);
    const pads = given.sizes("pads", 0, 0, 2);
    if (name !== "NOTSET" && pads.some((side) => side > 0)) {
      throw new LayerError("pads", `are given with auto_pad ${name}`, "Remove one of the two");
    }
    return {
      kernel_size: given.sizes("kernel_shape"),
      stride: given.sizes("strides", 1),
      padding: SAME[name] ?? range(0, given.n).map((n) => [pads[n], pads[given.n + n]]),
      dilation: given.sizes("dilations", 1),
    };
  }

  // ONNX takes the size of the output before its padding.
  function onnxTransposed(_, given) {
    const keys = { ...onnxPadded(given), output_padding: given.sizes("output_padding", 0, 0) };
    const name = automatic(given);
    let sizes;
    if (given.value("output_shape") !== null) sizes = given.sizes("output_shape");
    else if (name in SAME && keys.output_padding.some((added) => added > 0)) {
      sizes = given.inputSize.map((size, n) => size * keys.stride[n]);
    } else return keys;
    const axes = uncropped(given.inputSize, keys);
    return { ...keys, ...croppedTo("output_shape", axes, sizes, name === "SAME_UPPER") };
  }

  const onnxUnpooling = (layer, given) => ({
    ...onnxWindow(layer, given),
    ...(given.value("output_shape") === null ? {} : { output_size: given.sizes("output_shape") }),
  });

  const READERS = {
    "pytorch._convolution": torchConvolution,
    "pytorch._transposed": torchTransposed,
    "pytorch._pooling": torchPooling,
    "pytorch._adaptive_pooling": adaptivePooling,
    "pytorch._standardized": standardized,
    "pytorch._padded_by_itself": paddedByItself,
    "pytorch._pooling_padded_by_itself": (layer, given) => ({
      ...same(torchPooling, layer, given),
      count_include_pad: true, // what is padded before an average counts in it
    }),
    "keras._convolution": kerasConvolution,
    "keras._transposed": kerasTransposed,
    "keras._pooling": kerasPooling,
    "keras._global_pooling": () => ({}),
    "onnx._window": onnxWindow,
    "onnx._transposed": onnxTransposed,
    "onnx._unpooling": onnxUnpooling,
    "onnx._global_pooling": (_, given) => ({ norm: given.norm("p") }),
  };

  // Signatures

  const SIGNATURES = Object.fromEntries(
    tables.signatures.flatMap(({ names, ...shared }) =>
      Object.entries(names).map(([name, axes]) => {
        const [required, optional] = [shared.required, shared.optional].map((words) => words.split(" ").filter(Boolean));
        const ignored = shared.read.startsWith("keras.") ? tables.ignored : [];
        return [name, { ...shared, name, axes, required, arguments: [...required, ...optional, ...ignored] }];
      }),
    ),
  );

  function bound(layer, call) {
    const most = layer.keyword_only ? 0 : layer.arguments.length;
    if (call.positional.length > most) {
      const count = `takes at most ${most} positional arguments, not ${call.positional.length}`;
      throw new NotationError(`${layer.name} ${count}. Pass arguments by name.`);
    }
    const given = Object.fromEntries(call.positional.map((value, n) => [layer.arguments[n], value]));
    for (const { name, value } of call.keywords) {
      if (!layer.arguments.includes(name)) {
        const known = layer.arguments.filter((word) => !tables.ignored.includes(word)).join(", ") || "none";
        throw new LayerError(name, `is not an argument of ${layer.name}`, `It has ${known}`);
      }
      if (Object.hasOwn(given, name)) throw new LayerError(name, "is given twice", "Remove one of the two");
      given[name] = value;
    }
    return given;
  }

  // A size for each of n axes, without batch and channels.
  function expanded(inputSize, n) {
    if (![1, n, 2 + n].includes(inputSize.length)) {
      const each = ["5", "7", "6"].slice(0, n).join("x");
      const rule = `has ${inputSize.length} numbers for ${n} ${n === 1 ? "axis" : "axes"}`;
      const remedy = `Give one per axis, as in INPUT=${each}, one for all, or batch and channels before them`;
      throw new LayerError("input_size", rule, remedy);
    }
    return inputSize.length === 1 ? Array(n).fill(inputSize[0]) : inputSize.slice(-n);
  }

  function countAxes(layer, given, inputSize) {
    if (!layer.required.length) {
      const n = inputSize.length - (inputSize.length > 3 ? 2 : 0);
      if (n < 1 || n > 3) throw new LayerError("input_size", `has ${n} axes`, "A layer has 1 to 3");
      return n;
    }
    const [name] = layer.required;
    const sizes = new Arguments(given, []).value(name);
    if (!Array.isArray(sizes)) throw wrong(name, sizes, "a list of one whole number per axis");
    if (sizes.length < 1 || sizes.length > 3) {
      throw new LayerError(name, `has ${sizes.length} axes`, "A layer has 1, 2 or 3");
    }
    return sizes.length;
  }

  function readSigned(layer, given, inputSize) {
    for (const name of layer.required) {
      if (!Object.hasOwn(given, name)) throw new LayerError(name, "is missing", `${layer.name} needs it`);
    }
    const n = layer.axes ?? countAxes(layer, given, inputSize);
    const size = expanded(inputSize, n);
    const channels = inputSize.length === 2 + n ? inputSize[1] : null;
    for (const one of inputSize) if (!isWhole(one, 1)) throw wrong("input_size", one, POSITIVE);
    const parameters = new Arguments(given, size, channels);
    const keys = { operation: layer.operation, input_size: size, ...READERS[layer.read](layer, parameters) };
    const expected = layer.required.includes("in_channels") ? parameters.value("in_channels") : keys.in_channels;
    if (expected !== undefined && channels !== null && channels !== expected) {
      const rule = `has ${channels} channels for a layer of in_channels = ${expected}`;
      throw new LayerError("input_size", rule, "Give both the same number");
    }
    return changed(keys);
  }

  // The keys that differ from their defaults, in short form: one number for equal sides, and for equal axes.
  function changed(keys) {
    const found = {};
    for (const [key, value] of Object.entries(keys)) {
      const short = key === "input_size" ? value : shortest(value);
      const otherwise = key === "note" ? "" : tables.keys[key].default;
      if (JSON.stringify(short) !== JSON.stringify(otherwise)) found[key] = short;
    }
    return found;
  }

  function shortest(value) {
    if (!Array.isArray(value)) return value;
    const each = value.map((side) => (Array.isArray(side) && side[0] === side[1] ? side[0] : side));
    return !Array.isArray(each[0]) && each.every((side) => side === each[0]) ? each[0] : each;
  }

  // The numbers of a size such as 7, 5x7 or 1x3x224x224.
  function parseSize(text) {
    if (!/^\d{1,12}(?:[x×,]\d{1,12}){0,4}$/.test(text)) {
      throw new NotationError(`INPUT: cannot be ${repr(text)}. It is a size such as 7, 5x7 or 1x3x224x224.`);
    }
    return text.split(/[x×,]/).map(Number);
  }

  // The keys of the layer in a text; one number of `inputSize` stands for all axes.
  function read(text, inputSize) {
    const call = parse(text);
    if (call === null) {
      const example = "such as Conv2d(1, 1, kernel_size=3, padding=1)";
      throw new NotationError(`${repr(text)} is not a layer. Write it as ${tables.readable} do, ${example}.`);
    }
    if (!Object.hasOwn(SIGNATURES, call.name)) {
      const rule = `${repr(call.name)} is not a layer of ${tables.readable} that can be drawn`;
      throw new NotationError(`${rule}. ${hint(call.name)}`);
    }
    const layer = SIGNATURES[call.name];
    return readSigned(layer, bound(layer, call), inputSize);
  }

  function hint(name) {
    for (const [pattern, text] of Object.entries(tables.hints)) if (new RegExp(pattern).test(name)) return text;
    const plainName = name.replaceAll("_", "").toLowerCase();
    const known = Object.keys(SIGNATURES);
    const twin = known.find((one) => one.toLowerCase() === plainName);
    if (twin && name === name.toLowerCase()) {
      return `It is a function, which takes its input. Write the layer ${twin}.`;
    }
    if (twin) return `Did you mean ${twin}?`;
    const bases = known.filter((one) => name.includes(one)).sort((a, b) => b.length - a.length);
    if (bases.length) return `If it has the arguments of ${bases[0]} and computes as that does, write ${bases[0]}.`;
    return "Use a convolution, a pooling or an unpooling, such as Conv2d.";
  }

  // Writing

  const tuple = (items) => (items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`);
  const pairs = (sides) => sides.map(tuple);
  const list = (items) => `[${items.join(", ")}]`;
  const each = (axes, key) => axes.map((axis) => axis[key]);

  function code(name, positional, keywords) {
    const named = Object.entries(keywords).map(([key, value]) => `${key}=${value}`);
    return `${name}(${[...positional, ...named].join(", ")})`;
  }

  // An argument for the dilation, if there is any.
  const dilated = (name, layer, write) =>
    layer.axes.some((axis) => axis.dilation > 1) ? { [name]: write(each(layer.axes, "dilation")) } : {};
  const some = (sides) => sides.flat().some((side) => side !== 0);
  const channelsOf = (layer) => layer.channels ?? { in_channels: 1, out_channels: 1, groups: 1 };
  const grouped = (name, layer) => (channelsOf(layer).groups > 1 ? { [name]: channelsOf(layer).groups } : {});
  const isGlobal = (layer) => layer.operation.name.startsWith("global");
  const TORCH_PADDINGS = { zeros: "Zero", reflect: "Reflection", replicate: "Replication", circular: "Circular" };
  const PADDING_MODES = { reflect: "reflect", replicate: "edge", circular: "wrap" };
  const TORCH_POOLINGS = { maximum: "MaxPool", average: "AvgPool", norm: "LPPool" };
  const lacks = (key, rule, remedy) => {
    throw new LayerError(key, rule, remedy);
  };

  // The padding before and after each axis with the cells that the last window hangs over; and these cells.
  function overhanging(layer) {
    const over = layer.direct.map((axis) =>
      Math.max((axis.output_size - 1) * axis.stride + axis.window_size - axis.grid_size, 0),
    );
    return [layer.axes.map((axis, n) => [axis.padding[0], axis.padding[1] + over[n]]), over];
  }

  function pytorch(layer) {
    const { axes, transposed, reduction } = layer;
    const n = axes.length;
    if (layer.operation.name === "max_unpooling") return [torchUnpooling(layer)];
    if (layer.operation.adaptive || isGlobal(layer)) return [torchSummary(layer)];
    const sides = each(axes, "padding");
    let inner = sides.map((pair) => Math.min(...pair));
    if (reduction !== null) {
      const isHalf = axes.every((axis) => 2 * Math.max(...axis.padding) <= axis.kernel_size);
      if (!isHalf || reduction === "norm") inner = inner.map(() => 0);
    } else if (layer.padding_mode !== "zeros" && sides.some(([before, after]) => before !== after)) {
      inner = inner.map(() => 0);
    }
    // The last axis comes first.
    const rest = sides.map((pair, axis) => pair.map((side) => side - inner[axis])).reverse().flat();
    const main = reduction === null ? torchConvolve(layer, inner) : torchPool(layer, inner);
    if (!some(rest)) return [main];
    if (transposed) return [main, code(`ZeroPad${n}d`, [tuple(rest.map((side) => (side ? -side : 0)))], {})];
    if (reduction === "average" && !layer.count_include_pad) {
      lacks("count_include_pad", "is false with padding that AvgPool does not have", "Pad all sides alike");
    }
    if (reduction !== null && layer.ceil_mode) {
      lacks("ceil_mode", "is true with padding that a pooling does not have", "Pad all sides alike");
    }
    if (reduction === "maximum") return [code(`ConstantPad${n}d`, [tuple(rest), 'float("-inf")'], {}), main];
    return [code(`${TORCH_PADDINGS[layer.padding_mode]}Pad${n}d`, [tuple(rest)], {}), main];
  }

  function torchConvolve(layer, padding) {
    const { axes, transposed } = layer;
    const { in_channels, out_channels } = channelsOf(layer);
    return code(`Conv${transposed ? "Transpose" : ""}${axes.length}d`, [in_channels, out_channels], {
      kernel_size: tuple(layer.kernel_size),
      stride: tuple(each(axes, "stride")),
      padding: tuple(padding),
      ...(transposed ? { output_padding: tuple(each(axes, "output_padding")) } : {}),
      ...dilated("dilation", layer, tuple),
      ...grouped("groups", layer),
      ...(layer.padding_mode !== "zeros" && some(padding) ? { padding_mode: `"${layer.padding_mode}"` } : {}),
    });
  }

  function torchPool(layer, padding) {
    const { axes, reduction } = layer;
    const dilation = each(axes, "dilation");
    if (Math.max(...dilation) > 1 && reduction !== "maximum") {
      lacks("dilation", `is ${list(dilation)}`, "Only MaxPool is dilated in PyTorch");
    }
    const counts = reduction !== "average" || !some(padding) || layer.count_include_pad;
    return code(`${TORCH_POOLINGS[reduction]}${axes.length}d`, reduction === "norm" ? [layer.norm] : [], {
      kernel_size: tuple(layer.kernel_size),
      stride: tuple(each(axes, "stride")),
      ...(some(padding) ? { padding: tuple(padding) } : {}),
      ...dilated("dilation", layer, tuple),
      ...(layer.ceil_mode ? { ceil_mode: "True" } : {}),
      ...(counts ? {} : { count_include_pad: "False" }),
    });
  }

  // A pooling whose windows follow from its input: global or adaptive.
  function torchSummary(layer) {
    const n = layer.axes.length;
    if (layer.reduction === "norm") return code(`LPPool${n}d`, [layer.norm, tuple(layer.input_size)], {});
    return code(`Adaptive${TORCH_POOLINGS[layer.reduction]}${n}d`, [tuple(layer.output_size)], {});
  }

  function torchUnpooling(layer) {
    const { axes } = layer;
    if (axes.some(({ padding: [before, after] }) => before !== after)) {
      lacks("padding", "differs between the sides", "MaxUnpool takes one number per axis");
    }
    const isAsked = axes.some((axis) => axis.output_padding !== 0);
    const asked = isAsked ? `  # called with output_size=${list(layer.output_size)}` : "";
    const keywords = { stride: tuple(each(axes, "stride")), padding: tuple(axes.map((axis) => axis.padding[0])) };
    return code(`MaxUnpool${axes.length}d`, [tuple(layer.kernel_size)], keywords) + asked;
  }

  const around = (name, sides) => {
    const n = sides.length;
    return some(sides) ? [code(`${name}${n}D`, [n === 1 ? tuple(sides[0]) : tuple(pairs(sides))], {})] : [];
  };

  // The function that pads each axis before and after, in a way that no layer does.
  function kerasPadded(sides, mode, more = "") {
    return `x = ops.pad(x, ${list(pairs([[0, 0], ...sides, [0, 0]]))}, mode="${mode}"${more})`;
  }

  function keras(layer) {
    if (!layer.weighted) return kerasPoolingCalls(layer);
    const { axes, transposed } = layer;
    const [stride, dilation] = [each(axes, "stride"), each(axes, "dilation")];
    if (Math.max(...stride) > 1 && Math.max(...dilation) > 1) {
      lacks("dilation", `is ${list(dilation)} with stride ${list(stride)}`, "Keras takes only one of them");
    }
    const { out_channels, groups } = channelsOf(layer);
    if (transposed && groups > 1) lacks("groups", `is ${groups}`, "Keras has no groups in transposed convolutions");
    const name = `Conv${axes.length}D${transposed ? "Transpose" : ""}`;
    const convolution = code(name, [out_channels, tuple(layer.kernel_size)], {
      strides: tuple(stride),
      padding: '"valid"',
      ...dilated("dilation_rate", layer, tuple),
      ...grouped("groups", layer),
    });
    if (!transposed) {
      const sides = each(axes, "padding");
      if (layer.padding_mode === "zeros" || !some(sides)) return [...around("ZeroPadding", sides), convolution];
      if (layer.padding_mode !== "reflect") {
        lacks("padding_mode", `is ${layer.padding_mode}`, "Keras pads with zeros or by reflection");
      }
      return [kerasPadded(sides, "reflect"), convolution];
    }
    // Keras fills the last stride where the kernel is smaller.
    const after = axes.map(
      (axis) => axis.padding[1] + Math.max(axis.stride - reach(axis) - 1, 0) - axis.output_padding,
    );
    const cropping = axes.map((axis, place) => [axis.padding[0], Math.max(after[place], 0)]);
    const padding = after.map((side) => [0, Math.max(-side, 0)]);
    return [convolution, ...around("ZeroPadding", padding), ...around("Cropping", cropping)];
  }

  function kerasPoolingCalls(layer) {
    const { axes, reduction } = layer;
    const n = axes.length;
    const name = { maximum: "Max", average: "Average" }[reduction];
    if (name === undefined || layer.operation.adaptive) {
      lacks("operation", `is ${layer.operation.name}`, "Keras has none");
    }
    if (isGlobal(layer)) return [code(`Global${name}Pooling${n}D`, [], { keepdims: "True" })];
    if (axes.some((axis) => axis.dilation > 1)) lacks("dilation", "is more than 1", "Keras has no dilated pooling");
    const [sides, over] = overhanging(layer);
    const named = axes.map((axis) => namedPadding("same_upper", axis));
    const isSame = String(sides) === String(named) && some(sides);
    const pooling = (padding) =>
      code(`${name}Pooling${n}D`, [tuple(layer.kernel_size)], { strides: tuple(each(axes, "stride")), padding });
    const counts = reduction === "average" && layer.count_include_pad && some(each(axes, "padding"));
    if (!some(sides) || (isSame && !counts)) return [pooling(isSame ? '"same"' : '"valid"')];
    if (reduction === "maximum") {
      return [kerasPadded(sides, "constant", ', constant_values=float("-inf")'), pooling('"valid"')];
    }
    if (!counts || some(over)) {
      lacks("count_include_pad", "leaves cells out of averages", 'Keras does so for padding="same" only');
    }
    return [...around("ZeroPadding", sides), pooling('"valid"')];
  }

  function jax(layer) {
    if (layer.weighted) return jaxConvolution(layer);
    const n = layer.axes.length;
    const axes = tuple(range(2, n + 2));
    if (isGlobal(layer)) {
      const { norm } = layer;
      return [
        {
          maximum: `x.max(axis=${axes}, keepdims=True)`,
          average: `x.mean(axis=${axes}, keepdims=True)`,
          norm: `(abs(x) ** ${norm}).sum(axis=${axes}, keepdims=True) ** (1 / ${norm})`,
        }[layer.reduction],
      ];
    }
    if (layer.operation.adaptive || layer.reduction === null) {
      lacks("operation", `is ${layer.operation.name}`, "JAX has none");
    }
    return jaxPooling(layer);
  }

  function jaxConvolution(layer) {
    const { axes, transposed, padding_mode } = layer;
    const stride = tuple(each(axes, "stride"));
    const lines = [];
    let padding = each(layer.direct, "padding");
    if (padding_mode !== "zeros" && some(padding)) {
      const whole = list(pairs([[0, 0], [0, 0], ...padding]));
      lines.push(`x = jnp.pad(x, ${whole}, mode="${PADDING_MODES[padding_mode]}")`);
      padding = padding.map(() => [0, 0]);
    }
    const more = { padding: list(pairs(padding)), ...dilated("rhs_dilation", layer, tuple) };
    const groups = grouped("feature_group_count", layer);
    if (!transposed) {
      const asked = { window_strides: stride, ...more, ...groups };
      return [...lines, code("lax.conv_general_dilated", ["x", "w"], asked)];
    }
    if (channelsOf(layer).groups > 1) {
      lacks("groups", `is ${channelsOf(layer).groups}`, "lax.conv_transpose has no groups");
    }
    const spatial = "DHW".slice(-axes.length);
    const layouts = tuple([`NC${spatial}`, `OI${spatial}`, `NC${spatial}`].map((layout) => `"${layout}"`));
    const asked = { strides: stride, ...more, transpose_kernel: "True", dimension_numbers: layouts };
    return [code("lax.conv_transpose", ["x", "w"], asked)];
  }

  function jaxPooling(layer) {
    const [pads, over] = overhanging(layer);
    const window = {
      window_dimensions: tuple([1, 1, ...layer.kernel_size]),
      window_strides: tuple([1, 1, ...each(layer.axes, "stride")]),
      padding: list(pairs([[0, 0], [0, 0], ...pads])),
      ...dilated("window_dilation", layer, (dilation) => tuple([1, 1, ...dilation])),
    };
    const reducedBy = (of, start, function_) => code("lax.reduce_window", [of, start, function_], window);
    if (layer.reduction === "maximum") return [reducedBy("x", "-jnp.inf", "lax.max")];
    if (layer.reduction === "norm") {
      return [`${reducedBy(`abs(x) ** ${layer.norm}`, "0.0", "lax.add")} ** (1 / ${layer.norm})`];
    }
    const total = `total = ${reducedBy("x", "0.0", "lax.add")}`;
    if (!some(pads) || (layer.count_include_pad && !some(over))) {
      return [total, `total / (${layer.kernel_size.join(" * ")})`];
    }
    if (layer.count_include_pad && some(each(layer.axes, "padding"))) {
      lacks("ceil_mode", "is true in an average with padding", "JAX has no such average");
    }
    return [total, `total / ${reducedBy("jnp.ones_like(x)", "0.0", "lax.add")}`];
  }

  const wholeNorm = (layer) =>
    Number.isInteger(layer.norm) ? layer.norm : lacks("norm", `is ${layer.norm}`, "ONNX takes whole numbers");

  function onnx(layer) {
    const { axes, operation, reduction, padding_mode } = layer;
    const name = ONNX[operation.name];
    if (name === undefined) lacks("operation", `is ${operation.name}`, "ONNX has none");
    const norm = () => (reduction === "norm" ? { p: wholeNorm(layer) } : {});
    if (isGlobal(layer)) return [code(name, [], norm())];
    let pads = [0, 1].map((side) => axes.map((axis) => axis.padding[side]));
    const lines = [];
    if (padding_mode !== "zeros" && some(pads)) {
      const whole = list([0, 0, ...pads[0], 0, 0, ...pads[1]]);
      lines.push(code("Pad", [], { mode: `"${PADDING_MODES[padding_mode]}"`, pads: whole }));
      pads = pads.map((sides) => sides.map(() => 0));
    }
    const attributes = {
      kernel_shape: list(layer.kernel_size),
      strides: list(each(axes, "stride")),
      pads: list(pads.flat()),
      ...(layer.transposed ? { output_padding: list(each(axes, "output_padding")) } : {}),
      ...dilated("dilations", layer, list),
      ...grouped("group", layer),
      ...(layer.ceil_mode ? { ceil_mode: 1 } : {}),
      ...(reduction === "average" && layer.count_include_pad && some(pads) ? { count_include_pad: 1 } : {}),
      ...norm(),
    };
    if (operation.name === "max_unpooling" && axes.some((axis) => axis.output_padding !== 0)) {
      lacks("output_size", "is another than the smallest", "ONNX takes it as an input: output_shape");
    }
    return [...lines, code(name, [], attributes)];
  }

  const WRITERS = { PyTorch: pytorch, Keras: keras, JAX: jax, ONNX: onnx };

  // The layer in all frameworks: [name, lines, reason], the reason being why there are no lines.
  function codes(layer) {
    return Object.entries(WRITERS).map(([name, write]) => {
      try {
        return [name, write(layer), ""];
      } catch (error) {
        if (!(error instanceof LayerError)) throw error;
        return [name, [], error.message];
      }
    });
  }

  const TORCH = {
    ...{ convolution: "Conv", transposed_convolution: "ConvTranspose", max_pooling: "MaxPool" },
    ...{ average_pooling: "AvgPool", lp_pooling: "LPPool", max_unpooling: "MaxUnpool" },
    ...{ adaptive_max_pooling: "AdaptiveMaxPool", adaptive_average_pooling: "AdaptiveAvgPool" },
  };
  const ONNX = {
    ...{ convolution: "Conv", transposed_convolution: "ConvTranspose", max_pooling: "MaxPool" },
    ...{ average_pooling: "AveragePool", lp_pooling: "LpPool", max_unpooling: "MaxUnpool" },
    ...{ global_max_pooling: "GlobalMaxPool", global_average_pooling: "GlobalAveragePool" },
    global_lp_pooling: "GlobalLpPool",
  };
  const one = (values) => (new Set(values).size === 1 ? values[0] : tuple(values));

  // The shortest call that `read` turns into a layer, PyTorch's or else ONNX's; null if no framework has it in one call.
  function call(layer) {
    const { name } = layer.operation;
    const n = layer.axes.length;
    if (name.startsWith("global")) return code(ONNX[name], [], name.includes("lp") ? { p: layer.norm } : {});
    if (name.startsWith("adaptive")) return code(`${TORCH[name]}${n}d`, [one(layer.output_size)], {});
    // Padding by name may be as large as a pooling's window, padding in numbers not.
    if (layer.reduction !== null && layer.axes.some((axis) => Math.max(...axis.padding) >= axis.kernel_size)) return null;
    return inPytorch(layer) ? torchCall(layer) : onnxCall(layer);
  }

  function inPytorch(layer) {
    const { axes, reduction, operation } = layer;
    const dilates = axes.some((axis) => axis.dilation > 1);
    if (axes.some((axis) => axis.padding[0] !== axis.padding[1])) return false;
    if (reduction !== null && axes.some((axis) => 2 * axis.padding[0] > axis.kernel_size)) return false;
    if (reduction === "average" && dilates) return false;
    if (reduction === "norm" && (dilates || axes.some((axis) => axis.padding[0]))) return false;
    return !(operation.name === "max_unpooling" && axes.some((axis) => axis.output_padding));
  }

  function torchCall(layer) {
    const { axes, channels, operation } = layer;
    const parameters = {
      norm_type: [2, layer.reduction === "norm" ? layer.norm : 2],
      kernel_size: [null, one(layer.kernel_size)],
      stride: [layer.weighted ? 1 : one(layer.kernel_size), one(each(axes, "stride"))],
      padding: [0, one(axes.map((axis) => axis.padding[0]))],
      output_padding: [0, one(each(axes, "output_padding"))],
      dilation: [1, one(each(axes, "dilation"))],
      groups: [1, channels?.groups ?? 1],
      ceil_mode: ["False", layer.ceil_mode ? "True" : "False"],
      count_include_pad: ["True", layer.count_include_pad ? "True" : "False"],
      padding_mode: ['"zeros"', `"${layer.padding_mode}"`],
    };
    const needed = (key) => layer.reduction === "norm" && key === "norm_type";
    const different = ([key, [otherwise, value]]) => needed(key) || value !== otherwise;
    const keywords = Object.entries(parameters).filter(different).map(([key, [, value]]) => [key, value]);
    const first = layer.weighted ? [channels?.in_channels ?? 1, channels?.out_channels ?? 1] : [];
    return code(`${TORCH[operation.name]}${axes.length}d`, first, Object.fromEntries(keywords));
  }

  function onnxCall(layer) {
    const { operation, reduction } = layer;
    if (layer.channels !== null || layer.padding_mode !== "zeros") return null;
    return code(ONNX[operation.name], [], {
      kernel_shape: list(layer.kernel_size),
      strides: list(each(layer.axes, "stride")),
      pads: list([0, 1].flatMap((side) => layer.axes.map((axis) => axis.padding[side]))),
      ...dilated("dilations", layer, list),
      ...(layer.transposed ? { output_padding: list(each(layer.axes, "output_padding")) } : {}),
      ...(operation.name === "max_unpooling" ? { output_shape: list(layer.output_size) } : {}),
      ...(layer.ceil_mode ? { ceil_mode: 1 } : {}),
      ...(reduction === "average" && layer.count_include_pad ? { count_include_pad: 1 } : {}),
      ...(reduction === "norm" ? { p: layer.norm } : {}),
    });
  }

  return { NotationError, read, parseSize, codes, call };
}
