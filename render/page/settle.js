// settle waits until fonts and images are there, the page's height is stable
// and two frames were drawn, at most ms for each of the first two, and says how
// each went. It runs where the page's own scripts cannot see it. from is what
// part of it to do: 'all', 'inside' for a frame (fonts and images), 'frames'.
// Names given to pictures and forms stand for what a document or form has of its
// own, there too: so nothing is asked of a document by its plain name.
async (ms, part) => {
	const getter = (proto, name) => { const g = Object.getOwnPropertyDescriptor(proto, name).get; return o => g.call(o); };
	const fontsOf = getter(Document.prototype, 'fonts'), imagesOf = getter(Document.prototype, 'images'), bodyOf = getter(Document.prototype, 'body'), rootOf = getter(Document.prototype, 'documentElement');
	const shadowOf = getter(Element.prototype, 'shadowRoot'), tall = getter(Element.prototype, 'scrollHeight');
	const began = performance.now(), got = {outside: 0};
	const late = p => Promise.race([p.then(() => false, () => false), new Promise(r => setTimeout(r, ms, true))]);
	const frame = () => Promise.race([new Promise(r => requestAnimationFrame(() => r(true))), new Promise(r => setTimeout(r, 1500, false))]);
	let last = began;
	const lap = () => { const now = performance.now(), d = now - last; last = now; return d; };

	if (part !== 'frames') {
		const docs = [], images = [];
		const gather = (root, whole) => {
			if (whole) images.push(...imagesOf(root));
			for (const e of (whole ? Document : DocumentFragment).prototype.querySelectorAll.call(root, '*')) {
				const shadow = shadowOf(e);
				if (shadow) gather(shadow, false);
				else if (!whole && e instanceof HTMLImageElement || e instanceof SVGImageElement) images.push(e);
				else if (e instanceof HTMLIFrameElement || e instanceof HTMLFrameElement || e instanceof HTMLObjectElement && e.type !== 'image/svg+xml') {
					let inner = null;
					try { inner = e.contentDocument; } catch (_) { /* another site's */ }
					if (inner) { docs.push(inner); gather(inner, true); } else if (e.contentWindow) got.outside++;
				}
			}
		};
		docs.push(document);
		gather(document, true);

		got.fonts = {late: await late(Promise.all(docs.map(d => fontsOf(d).ready))), failed: 0};
		for (const d of docs) for (const f of fontsOf(d)) if (f.status === 'error') got.fonts.failed++;
		got.fonts.ms = lap();

		// A lazy image that has not been asked for is not waited for: the policy
		// decides about those.
		const broken = i => i.complete && 'naturalWidth' in i && !i.naturalWidth;
		const wanted = images.filter(i => i.currentSrc === undefined || i.currentSrc && (i.complete || i.loading !== 'lazy'));
		got.images = {late: await late(Promise.all(wanted.map(i => broken(i) ? 0 : i.decode().catch(() => 0)))), all: images.length,
			broken: wanted.filter(broken).length, missing: wanted.filter(i => i.complete === false).length,
			lazy: images.filter(i => i.loading === 'lazy' && !i.complete).length};
		got.images.ms = lap();
		if (part === 'inside') return got;
	}

	const turned = e => { const c = e && getComputedStyle(e); return c ? c.direction === 'rtl' || !c.writingMode.startsWith('horizontal') : false; };
	got.leftward = turned(rootOf(document)) || turned(bodyOf(document));
	const height = () => Math.max(...[rootOf(document), bodyOf(document)].map(e => e ? tall(e) : 0));
	const first = height();
	let now = first, before, drawn = true;
	do {
		before = now;
		drawn = await frame();
		now = height();
	} while (drawn && now !== before && performance.now() - last < 2000);
	got.height = {from: first, to: now, stable: now === before, ms: lap()};
	got.drawn = drawn && await frame() && await frame();
	got.framesMS = lap();
	return got;
}
