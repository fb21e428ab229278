// What tells an obstacle from content. It only reads, ends early on long pages,
// and runs once, in an isolated world. Names given to forms and pictures stand
// for what documents and forms have of their own, there too: so nothing is asked of
// either by its plain name.
selectors => {
	const getter = (proto, name) => { const g = Object.getOwnPropertyDescriptor(proto, name).get; return o => g.call(o); };
	const method = f => (o, ...a) => f.call(o, ...a);
	const bodyOf = getter(Document.prototype, 'body'), rootOf = getter(Document.prototype, 'documentElement'), titleOf = getter(Document.prototype, 'title');
	const typeOf = getter(Document.prototype, 'contentType'), scriptsOf = getter(Document.prototype, 'scripts');
	const all = method(Document.prototype.querySelectorAll), one = method(Document.prototype.querySelector), at = method(Document.prototype.elementFromPoint);
	const nameOf = getter(Element.prototype, 'localName'), shadowOf = getter(Element.prototype, 'shadowRoot'), parentOf = getter(Node.prototype, 'parentElement');
	const textOf = getter(Node.prototype, 'textContent'), innerText = getter(HTMLElement.prototype, 'innerText'), elementsOf = getter(HTMLFormElement.prototype, 'elements');
	const closest = method(Element.prototype.closest), matches = method(Element.prototype.matches), attribute = method(Element.prototype.getAttribute);
	const boxOf = method(Element.prototype.getBoundingClientRect), visible = method(Element.prototype.checkVisibility), within = method(Element.prototype.querySelectorAll);
	const hostOf = e => method(Node.prototype.getRootNode)(e).host || null, animations = method(Element.prototype.getAnimations);
	const body = bodyOf(document), html = rootOf(document);
	const most = 400, nodes = 6000;
	const out = {html: /html/.test(typeOf(document)), title: titleOf(document).slice(0, 300), headings: [], content: 0, walked: 0, capped: false, text: '',
		password: '', frames: [], scripts: scriptsOf(document).length > 0, drawn: false, has: {}, overlay: {text: '', covers: 0, locked: false, password: false}};
	if (!body) return out;
	const shown = e => visible(e, {visibilityProperty: true});
	const clear = s => (s || '').replace(/\s+/g, ' ').trim();
	const side = 'nav,footer,aside,dialog,[role=navigation],[role=banner],[role=contentinfo],[role=search],[role=dialog],[role=alertdialog],form:has(input[type=password])';
	const aside = e => !!closest(e, side) || !!(closest(e, 'header') && !closest(e, 'main,article,[role=main]'));
	const up = e => parentOf(e) || hostOf(e);

	const modal = 'dialog,[role=dialog],[role=alertdialog],[aria-modal=true]';
	const roots = [[body, false]];
	const passwords = [], lesser = [];
	let seen = 0;
	for (let r = 0; r < roots.length && r < 2000 && !out.capped; r++) {
		const [root, hostAside] = roots[r];
		const walker = Document.prototype.createTreeWalker.call(document, root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
		let parent = null, counts = 0;
		for (let n = walker.nextNode(); n; n = walker.nextNode()) {
			if (++seen > nodes || out.content >= most) { out.capped = true; break; }
			if (n instanceof Element) { // a form may have a field named nodeType
				const name = nameOf(n), shadow = shadowOf(n);
				if (shadow) roots.push([shadow, hostAside || aside(n)]);
				if (name === 'input' && n.type === 'password') passwords.push(n);
				else if (/^h[12]$/.test(name) || attribute(n, 'role') === 'heading') {
					// Only what heads the page: a list of answers has all these words further down.
					const list = name === 'h1' || attribute(n, 'aria-level') === '1' ? out.headings : lesser;
					if (list.length < 3 && shown(n) && !closest(n, modal)) list.push(clear(textOf(n)).slice(0, 200));
				}
				continue;
			}
			if (!/\S/.test(n.data)) continue;
			const p = parentOf(n);
			if (p !== parent) {
				parent = p;
				counts = p && (/^(script|style|noscript|template|title|option|textarea)$/.test(nameOf(p)) || !shown(p)) ? 0 : hostAside || p && aside(p) ? 1 : 2;
			}
			if (!counts) continue;
			const words = n.data.trim().split(/\s+/).length;
			out.walked += words;
			if (out.text.length < 6000) out.text += n.data + ' ';
			if (counts === 2) out.content += words;
		}
	}
	if (!out.headings.length) out.headings = lesser.slice(0, 1);
	if (out.capped) for (const i of all(document, 'input[type=password]')) if (!passwords.includes(i)) passwords.push(i);
	for (const i of passwords) {
		const box = i.getBoundingClientRect();
		if (!i.checkVisibility({visibilityProperty: true, opacityProperty: true}) || box.width < 20 || box.height < 8) continue;
		if (i.closest(modal)) {
			out.overlay.password = true;
			continue;
		}
		// Who signs in fills in two or three fields; a form with many is content.
		const fields = i.form ? [...elementsOf(i.form)].filter(e => /^(text|email|tel|number|date|url|search|password|select-one|select-multiple|textarea)$/.test(e.type) && shown(e)) : [];
		if (fields.length > 4) continue;
		const form = i.closest('form') || up(i), size = form ? boxOf(form) : box;
		const bar = !!i.closest('nav,footer,aside,[role=navigation],[role=banner],[role=contentinfo],[role=complementary]') ||
			!!(i.closest('header') && !i.closest('main,article,[role=main]')) ||
			// A form like a bar is one only above something else.
			!i.closest('main,article,[role=main]') && out.content > 25 && box.top + scrollY < 160 && size.height < 140;
		if (!bar) out.password = 'main'; else out.password ||= 'bar';
	}
	for (const f of all(document, 'iframe[src]')) {
		const box = f.getBoundingClientRect();
		if (out.frames.length < 20 && box.width > 40 && box.height > 20 && shown(f)) out.frames.push(f.src.slice(0, 300));
	}

	// What lies over the page is what a finger would hit at nine places.
	const over = new Map();
	for (const x of [1, 3, 5]) for (const y of [1, 3, 5]) {
		let layer = null;
		for (let e = at(document, innerWidth * x / 6, innerHeight * y / 6); e && e !== body && e !== html; e = up(e))
			if (matches(e, 'dialog[open],[aria-modal=true],[popover]:popover-open') || getComputedStyle(e).position === 'fixed') layer = e;
		if (layer) over.set(layer, (over.get(layer) || 0) + 1);
	}
	let hits = 0;
	for (const [layer, n] of over) {
		const words = clear(layer instanceof HTMLElement ? innerText(layer) : ''), count = words ? words.split(' ').length : 0;
		if (count > out.walked * .7 && !matches(layer, modal) && !within(layer, modal).length) continue; // it is the page itself
		hits += n;
		const text = words.slice(0, 1000);
		if (text.length > out.overlay.text.length) out.overlay.text = text;
		if ([...within(layer, 'input[type=password]')].some(shown)) out.overlay.password = true;
	}
	out.overlay.covers = Math.round(hits * 100 / 9);
	if (hits) for (const e of [html, body]) {
		const s = getComputedStyle(e);
		if (/hidden|clip/.test(s.overflowY) || e === body && s.position === 'fixed' || one(document, 'dialog:modal')) out.overlay.locked = true;
	}

	if (out.walked < 12) {
		const still = e => !animations(e, {subtree: true}).length && !within(e, 'animate,animateTransform,animateMotion').length;
		const view = innerWidth * innerHeight;
		let left = 3000;
		const look = root => {
			for (const e of root === document ? all(document, '*') : root.querySelectorAll('*')) {
				if (out.drawn || !left--) return;
				if (shadowOf(e)) look(shadowOf(e));
				const box = boxOf(e), area = box.width * box.height;
				if (area < 400 || !shown(e)) continue;
				if (/^(img|canvas|video|svg|object|embed|iframe|input|textarea|select|button|meter|progress|math)$/.test(nameOf(e))) {
					if (still(e)) out.drawn = true;
					continue;
				}
				if (area < view / 200) continue;
				const s = getComputedStyle(e);
				const painted = s.backgroundImage !== 'none' || e !== body && !/^rgba\(.*, 0\)$|^transparent$/.test(s.backgroundColor) ||
					parseFloat(s.borderTopWidth) > 0 && s.borderTopStyle !== 'none';
				if (painted && still(e)) out.drawn = true;
			}
		};
		if (getComputedStyle(html).backgroundImage !== 'none') out.drawn = true;
		look(document);
	}
	for (const s of selectors) {
		try { out.has[s] = one(document, s) !== null; } catch (e) { out.has[s] = false; }
	}
	return out;
}
