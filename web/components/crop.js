// Crops a square from a picture: drag or arrow keys, pinch, wheel, slider or + and −, with a preview.

import { h } from '../dom.js';
import { icon } from '../icons.js';
import { texts } from '../texts.js';
import { openDialog } from './dialog.js';

/** The side of the result in pixels, as the server stores it. */
const SIDE = 512;
/** The picture is scaled down to this, so that dragging a large photo stays smooth. */
const WORKED_WITH = 2048;
const CLOSEST = 4;
const STEP = 1.1;
/** How far an arrow key moves, as a fraction of the visible part. */
const NUDGE = 0.04;

/** Any picture that the browser can read, on a canvas of at most this width and height. */
export async function readPicture(file, most) {
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    // An SVG may have no size.
    const width = image.naturalWidth || most;
    const height = image.naturalHeight || most;
    const scale = Math.min(1, most / Math.max(width, height));
    const canvas = h('canvas', { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) });
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas;
  } catch {
    throw new Error(texts.settings.crop.unreadable);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** WebP where the browser can write it, otherwise PNG. */
export const asBlob = (canvas) => new Promise((done) => { canvas.toBlob(done, 'image/webp', 0.92); });

/** Asks for a square of a picture. `submit(blob)` may throw to refuse: the reason is shown and the dialog stays open. */
export async function cropPicture(file, { title, submit, square = false }) {
  const picture = await readPicture(file, WORKED_WITH);
  openDialog(title, (close) => cropper(picture, submit, close), { kind: `crop ${square ? 'is-square' : ''}` });
}

function cropper(picture, submit, close) {
  const words = texts.settings.crop;
  const shortest = Math.min(picture.width, picture.height);
  const place = { x: picture.width / 2, y: picture.height / 2, zoom: 1 };
  const canvas = h('canvas', { width: SIDE, height: SIDE });
  const small = h('canvas', { width: 160, height: 160, class: 'crop-small' });
  const slider = h('input', { type: 'range', min: 1, max: CLOSEST, step: 0.01, '.value': 1, 'aria-label': words.zoom, oninput: () => zoomTo(Number(slider.value)) });
  const stage = h('div', { class: 'crop-stage', tabindex: 0, role: 'application', 'aria-label': words.stage, 'aria-describedby': 'crop-hint', autofocus: true }, canvas);
  const wrong = h('p', { class: 'form-error', role: 'alert' });

  const seen = () => shortest / place.zoom;
  const paint = (target) => {
    const pen = target.getContext('2d');
    pen.imageSmoothingQuality = 'high';
    pen.clearRect(0, 0, target.width, target.height);
    pen.drawImage(picture, place.x - seen() / 2, place.y - seen() / 2, seen(), seen(), 0, 0, target.width, target.height);
  };
  const draw = () => {
    const half = seen() / 2;
    place.x = Math.min(picture.width - half, Math.max(half, place.x));
    place.y = Math.min(picture.height - half, Math.max(half, place.y));
    slider.value = place.zoom;
    paint(canvas);
    paint(small);
  };
  const zoomTo = (zoom) => {
    place.zoom = Math.min(CLOSEST, Math.max(1, zoom));
    draw();
  };
  /** Moves by fractions of the visible part. */
  const move = (x, y) => {
    place.x += x * seen();
    place.y += y * seen();
    draw();
  };

  const fingers = new Map();
  const spread = () => {
    const [one, two] = [...fingers.values()];
    return Math.hypot(one.x - two.x, one.y - two.y);
  };
  stage.addEventListener('pointerdown', (event) => {
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  stage.addEventListener('pointermove', (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const apart = fingers.size === 2 ? spread() : 0;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (apart) zoomTo(place.zoom * (spread() / apart));
    const width = stage.clientWidth;
    move((before.x - event.clientX) / width / fingers.size, (before.y - event.clientY) / width / fingers.size);
  });
  for (const end of ['pointerup', 'pointercancel']) stage.addEventListener(end, (event) => fingers.delete(event.pointerId));
  stage.addEventListener('wheel', (event) => {
    event.preventDefault();
    zoomTo(place.zoom * (event.deltaY < 0 ? STEP : 1 / STEP));
  }, { passive: false });
  stage.addEventListener('keydown', (event) => {
    const acts = {
      ArrowLeft: () => move(-NUDGE, 0), ArrowRight: () => move(NUDGE, 0), ArrowUp: () => move(0, -NUDGE), ArrowDown: () => move(0, NUDGE),
      '+': () => zoomTo(place.zoom * STEP), '=': () => zoomTo(place.zoom * STEP), '-': () => zoomTo(place.zoom / STEP), '−': () => zoomTo(place.zoom / STEP),
    };
    if (!acts[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    acts[event.key]();
  });
  draw();

  const save = h('button', { type: 'button', class: 'button button-primary', onclick: async () => {
    save.disabled = true;
    wrong.textContent = '';
    try {
      await submit(await asBlob(canvas));
      close();
    } catch (problem) {
      wrong.textContent = problem.message;
      save.disabled = false;
    }
  } }, words.save);
  return h('div', { class: 'crop-inside' }, stage,
    h('div', { class: 'crop-zoom' }, icon('zoomOut'), slider, icon('zoomIn'), small),
    h('p', { class: 'field-hint', id: 'crop-hint' }, words.hint), wrong,
    h('div', { class: 'row row-end' }, h('button', { type: 'button', class: 'button', onclick: close }, texts.common.cancel), save));
}
