// The 3-D view of a structure: rays through the voxels in a fragment shader, on demand, without any library.
// Where WebGL 2 is absent, nothing is changed and the picture that stands there already stays.
"use strict";

(() => {
  const VERTEX = `#version 300 es
    in vec2 corner;
    void main() { gl_Position = vec4(corner, 0.0, 1.0); }`;

  // The same steps, light and colours as meso/views.py. Positions are in voxels, axis 0 first.
  const FRAGMENT = `#version 300 es
    precision highp float;
    precision highp sampler3D;
    uniform sampler3D shares;           // red: active material, green: binder
    uniform vec3 voxels, scale;         // number of voxels; voxels per metre
    uniform vec3 low, high;             // what is not cut away [voxels]
    uniform mat3 frame;                 // columns: right, up, towards the viewer
    uniform vec3 chosen;                // 1 for the phases that are drawn: pore, active material, binder
    uniform float level, pixel;         // surface of what is drawn; edge of a pixel [m]
    uniform vec2 middle;                // centre of the canvas [pixels]
    uniform vec3 paint[3];
    out vec4 colour;

    vec3 phases(vec3 at) {
      vec2 solid = texture(shares, at.zyx / voxels.zyx).rg;
      return vec3(1.0 - solid.r - solid.g, solid) * chosen;
    }
    float filled(vec3 at) { vec3 each = phases(at); return each.x + each.y + each.z; }

    void main() {
      vec2 place = (gl_FragCoord.xy - middle) * pixel;
      vec3 direction = normalize(-frame[2] * scale);
      vec3 origin = 0.5 * voxels + (frame[0] * place.x + frame[1] * place.y) * scale - direction * length(voxels);
      vec3 towards = mix(vec3(1e-7), direction, greaterThan(abs(direction), vec3(1e-7)));
      vec3 first = (low - origin) / towards, second = (high - origin) / towards;
      vec3 entries = min(first, second), exits = max(first, second);
      float enter = max(max(entries.x, entries.y), entries.z) + 1e-3;
      float leave = min(min(exits.x, exits.y), exits.z) - 1e-3;
      colour = vec4(0.0);
      float far = enter;
      bool hit = false;
      for (int i = 0; i < 4096 && far < leave; i++) {
        if (filled(origin + far * direction) >= level) { hit = true; break; }
        far += 0.5;
      }
      if (!hit) return;
      vec3 normal;
      vec3 at = origin + far * direction;
      if (far == enter) {               // cut by a side of the block
        normal = -sign(direction) * vec3(greaterThanEqual(entries, vec3(enter - 2e-3)));
      } else {
        float near = far - 0.5;
        for (int i = 0; i < 5; i++) {
          float half_way = 0.5 * (near + far);
          if (filled(origin + half_way * direction) >= level) far = half_way; else near = half_way;
        }
        at = origin + far * direction;
        vec2 one = vec2(1.0, 0.0);
        normal = vec3(filled(at - one.xyy) - filled(at + one.xyy), filled(at - one.yxy) - filled(at + one.yxy),
                      filled(at - one.yyx) - filled(at + one.yyx));
      }
      normal = normalize(normal * scale + 1e-9 * frame[2]);
      float hidden = 0.0;
      for (int i = 0; i < 3; i++) {     // what stands above the surface hides the sky
        vec3 above = at + normal * 1.5 * exp2(float(i));
        if (all(greaterThan(above, low)) && all(lessThan(above, high))) hidden += filled(above);
      }
      float light = max(dot(transpose(frame) * normal, normalize(vec3(0.1, 0.55, 0.83))), 0.0);
      vec3 each = phases(at) * vec3(1.0, 1.0, 5.0 / 3.0);
      vec3 tint = each.z >= max(each.x, each.y) && each.z > 0.0 ? paint[2] : each.y >= each.x ? paint[1] : paint[0];
      colour = vec4(min(tint * (0.62 + 0.45 * light) * (1.0 - 0.7 * hidden / 3.0), 1.0), 1.0);
    }`;

  /** Average along one axis with weights 1, 2, 1, in place; the outermost voxels count for what lies outside. */
  function smooth(field, count, stride) {
    const line = new Float32Array(count + 2);
    for (let start = 0; start < field.length; start++) {
      if (Math.floor(start / stride) % count !== 0) continue;
      for (let i = 0; i < count; i++) line[i + 1] = field[start + i * stride];
      line[0] = line[1];
      line[count + 1] = line[count];
      for (let i = 0; i < count; i++) field[start + i * stride] = 0.25 * line[i] + 0.5 * line[i + 1] + 0.25 * line[i + 2];
    }
  }

  /** Shares of active material and binder around every voxel, 255 for all of it. */
  function smoothShares(labels, [nz, ny, nx]) {
    const shares = new Uint8Array(2 * labels.length);
    for (const phase of [1, 2]) {
      const field = Float32Array.from(labels, (label) => (label === phase ? 255 : 0));
      smooth(field, nz, ny * nx);
      smooth(field, ny, nx);
      smooth(field, nx, 1);
      field.forEach((value, i) => { shares[2 * i + phase - 1] = Math.round(value); });
    }
    return shares;
  }

  async function unpack(text) {
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  function compile(gl) {
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
  }

  function upload(gl, program, labels, shape) {
    gl.useProgram(program);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
    const corner = gl.getAttribLocation(program, "corner");
    gl.enableVertexAttribArray(corner);
    gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
    gl.bindTexture(gl.TEXTURE_3D, gl.createTexture());
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    const [nz, ny, nx] = shape;
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.RG8, nx, ny, nz, 0, gl.RG, gl.UNSIGNED_BYTE, smoothShares(labels, shape));
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R]) {
      gl.texParameteri(gl.TEXTURE_3D, side, gl.CLAMP_TO_EDGE);
    }
    gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  }

  function frameOf(azimuth, elevation) {
    const [ca, sa, ce, se] = [Math.cos(azimuth), Math.sin(azimuth), Math.cos(elevation), Math.sin(elevation)];
    return [ca, 0, -sa, -se * sa, ce, -se * ca, ce * sa, se, ce * ca];
  }

  /** The state of a view, and how to draw it. */
  function makeView(gl, program, figure) {
    const canvas = gl.canvas;
    const numbers = (name) => figure.dataset[name].split(" ").map(Number);
    const [shape, size, direction, paint] = ["shape", "size", "direction", "paint"].map(numbers);
    const place = (name) => gl.getUniformLocation(program, name);
    const view = { azimuth: direction[0], elevation: direction[1], zoom: 1, cut: [0, 0], chosen: [0, 1, 1] };
    // As large as the canvas allows in the first direction.
    const first = frameOf(...direction);
    const [across, upward] = [0, 3].map((at) => size.reduce((sum, edge, i) => sum + edge * Math.abs(first[at + i]), 0));
    const ends = [...figure.querySelectorAll(".end")];
    let pending = 0;
    let busy = 0;                       // end of the last touch: until then, fewer pixels

    function draw() {
      pending = 0;
      const moving = performance.now() < busy;
      const density = moving ? 1 : Math.min(window.devicePixelRatio || 1, 2);
      const [wide, high] = [canvas.clientWidth, canvas.clientHeight];
      canvas.width = Math.max(1, Math.round(wide * density));
      canvas.height = Math.max(1, Math.round(high * density));
      const frame = frameOf(view.azimuth, view.elevation);
      const pixel = Math.max(across / wide, upward / high) * 1.12 / (density * view.zoom);
      const [pore, active, binder] = view.chosen;
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.uniform3fv(place("voxels"), shape);
      gl.uniform3fv(place("scale"), shape.map((count, i) => count / size[i]));
      gl.uniform3f(place("low"), view.cut[0] * shape[0], 0, 0);
      gl.uniform3f(place("high"), shape[0], shape[1], (1 - view.cut[1]) * shape[2]);
      gl.uniformMatrix3fv(place("frame"), false, frame);
      gl.uniform3fv(place("chosen"), view.chosen);
      gl.uniform1f(place("level"), binder && !active && !pore ? 0.3 : 0.5);
      gl.uniform1f(place("pixel"), pixel);
      gl.uniform2f(place("middle"), canvas.width / 2, canvas.height / 2);
      gl.uniform3fv(place("paint"), paint);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
      // Name both ends of the thickness, below the block and outwards.
      ends.forEach((label, end) => {
        const on = (axis, at) => at.reduce((sum, part, i) => sum + part * frame[3 * axis + i], 0);
        const corners = [-0.5, 0.5].map((side) => [(end - 0.5) * size[0], -0.5 * size[1], side * size[2]]);
        const outwards = Math.sign((end - 0.5) * frame[0]) || 1;
        const corner = corners.reduce((a, b) => (outwards * (on(0, b) - on(0, a)) > 0 ? b : a));
        const [left, top] = [wide / 2 + on(0, corner) / pixel / density, high / 2 - on(1, corner) / pixel / density];
        const [long, tall] = [label.offsetWidth, label.offsetHeight];
        label.style.left = `${Math.max(0, Math.min(wide - long, outwards < 0 ? left - long - 6 : left + 6))}px`;
        label.style.top = `${Math.max(0, Math.min(high - tall, top + 4))}px`;
      });
      if (moving) setTimeout(view.draw, busy - performance.now() + 20);
    }
    view.draw = () => { pending ||= requestAnimationFrame(draw); };
    view.touch = () => { busy = performance.now() + 250; view.draw(); };
    view.turn = (right, up) => {
      view.azimuth += right;
      view.elevation = Math.max(-1.57, Math.min(1.57, view.elevation + up));
      view.touch();
    };
    view.enlarge = (factor) => { view.zoom = Math.max(0.5, Math.min(12, view.zoom * factor)); view.touch(); };
    view.reset = () => { [view.azimuth, view.elevation, view.zoom] = [...direction, 1]; view.draw(); };
    return view;
  }

  function listen(view, canvas, figure) {
    const fingers = new Map();
    const spread = () => { const [a, b] = [...fingers.values()]; return Math.hypot(a.x - b.x, a.y - b.y); };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    canvas.addEventListener("pointermove", (event) => {
      const last = fingers.get(event.pointerId);
      if (!last) return;
      const before = fingers.size === 2 ? spread() : 0;
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (fingers.size === 2) view.enlarge(spread() / Math.max(before, 1));
      else view.turn(-(event.clientX - last.x) / 150, (event.clientY - last.y) / 150);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, (event) => fingers.delete(event.pointerId));
    }
    canvas.addEventListener("wheel", (event) => {
      if (document.activeElement !== canvas) return;    // the page scrolls until the view was clicked
      event.preventDefault();
      view.enlarge(Math.exp(-event.deltaY / 500));
    }, { passive: false });
    const keys = {
      ArrowLeft: () => view.turn(0.1, 0), ArrowRight: () => view.turn(-0.1, 0), ArrowUp: () => view.turn(0, -0.1),
      ArrowDown: () => view.turn(0, 0.1), "+": () => view.enlarge(1.2), "-": () => view.enlarge(1 / 1.2), 0: view.reset,
    };
    canvas.addEventListener("keydown", (event) => {
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
    figure.querySelectorAll("input[data-phase]").forEach((box) => box.addEventListener("change", () => {
      view.chosen[box.dataset.phase] = Number(box.checked);
      view.draw();
    }));
    figure.querySelectorAll("input[data-cut]").forEach((slider) => slider.addEventListener("input", () => {
      view.cut[slider.dataset.cut] = slider.value / 100;
      view.touch();
    }));
    const buttons = { larger: () => view.enlarge(1.3), smaller: () => view.enlarge(1 / 1.3), reset: view.reset };
    figure.querySelectorAll("button[data-do]").forEach((button) => {
      button.addEventListener("click", buttons[button.dataset.do]);
    });
    new ResizeObserver(view.draw).observe(canvas);
  }

  async function start(figure) {
    const canvas = figure.querySelector("canvas");
    const gl = canvas.getContext("webgl2", { alpha: true, antialias: false, preserveDrawingBuffer: true });
    if (!gl || !("DecompressionStream" in window)) return;
    const program = compile(gl);
    if (!program) return;
    const shape = figure.dataset.shape.split(" ").map(Number);
    if (Math.max(...shape) > gl.getParameter(gl.MAX_3D_TEXTURE_SIZE)) return;
    upload(gl, program, await unpack(figure.querySelector("script").textContent.trim()), shape);
    const view = makeView(gl, program, figure);
    canvas.addEventListener("webglcontextlost", () => figure.classList.remove("live"));
    figure.classList.add("live");
    listen(view, canvas, figure);
    view.draw();
  }

  document.querySelectorAll(".view3d").forEach(start);
})();
