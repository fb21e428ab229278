
	// What the file cannot be in by itself is written into marks, which the
	// selectors of its sheets are turned to, and into declarations.
	const STATES = ['focus', 'focus-visible', 'focus-within', 'target', 'popover-open', 'modal', 'fullscreen', 'user-invalid', 'user-valid', 'hover', 'active'];
	const ANY = STATES.map(s => ':' + s).join(',') + ',input:indeterminate';
	const adoptedText = new Map(); // a sheet is often adopted by many roots
	const adoptedOf = r => [...((r === document ? adoptedBy(r) : r.adoptedStyleSheets) || [])].filter(s => !s.disabled);
	const rulesOf = rules => { const out = []; for (const r of rules) if (!(r instanceof CSSImportRule)) out.push(r.cssText); return out; };
	const textOfAdopted = s => {
		if (!adoptedText.has(s)) adoptedText.set(s, rulesOf(s.cssRules).join('\n'));
		return adoptedText.get(s);
	};
	const STATE = /:state\(\s*([\w-]+)\s*\)/g;
	const stateNames = r => {
		const out = new Set(opts.states);
		const scan = t => { if (t.includes(':state(')) for (const m of t.matchAll(STATE)) out.add(m[1]); };
		for (const el of all(r, 'style')) scan(contentOf(el));
		for (const s of adoptedOf(r)) scan(textOfAdopted(s));
		return out;
	};

	// prepare looks at one tree before it is written and gives the rules that
	// it needs beside its own.
	const prepare = (r, host) => {
		let rules = '';
		const any = all(r, ANY);
		if (any.length) for (const s of STATES) try { for (const el of all(r, ':' + s)) mark(el, s); } catch {} // a name this browser does not know
		for (const el of any) if (nameOf(el) === 'input' && el.type === 'checkbox' && el.indeterminate) mark(el, 'indeterminate');
		for (const el of all(r, ':not(:defined)')) mark(el, 'undefined');
		for (const el of all(r, ':invalid')) if (nameOf(el).includes('-')) invalid(el);
		for (const n of stateNames(r)) {
			for (const el of all(r, ':state(' + n + ')')) mark(el, 'state-' + n);
			if (host && host.matches(':state(' + n + ')')) mark(host, 'state-' + n);
		}
		if (r === document) topLayer();
		if (opts.contained) for (const el of all(r, '*')) {
			const c = getComputedStyle(el);
			if (c.contentVisibility === 'auto' && c.display !== 'none') skipped(el);
		}
		if (moving.length) for (const el of all(r, '*')) moves(el);
		if (host && r.slotAssignment === 'manual') slots(r, host);
		if (host && all(r, 'video,audio').length) rules += MEDIA;
		if (host && all(r, ':focus-visible').length) rules += RING;
		return rules + animations(r);
	};
	// Content that was drawn is drawn at once, not when the browser gets to it.
	const skipped = el => {
		const child = el.firstElementChild, r = rectOf(el);
		const drawn = child ? child.checkVisibility({contentVisibilityAuto: true}) : r.top < 2.5 * innerHeight && r.bottom > -1.5 * innerHeight;
		if (drawn) return style(el, 'content-visibility:visible!important;contain:layout style paint!important;');
		const i = inner(el);
		style(el, 'contain-intrinsic-size:' + px(i[2]) + ' ' + px(i[3]) + '!important;');
	};
	// A background that moves by itself is seen as it stood in the picture.
	const moving = Object.keys(opts.moving), PAINTED = ['background-image', 'border-image-source', 'list-style-image', 'mask-image', 'content'];
	const moves = el => {
		for (const at of ['', '::before', '::after']) {
			const c = getComputedStyle(el, at);
			if (!PAINTED.some(p => { const v = c.getPropertyValue(p); return v.includes('url(') && moving.some(u => v.includes(u)); })) continue;
			if (shown(el)) { const b = rectOf(el); over([b.left, b.top, b.right, b.bottom]); }
			return;
		}
	};
	// What a script has said against a value, the file cannot say, neither of the
	// field nor of the form round it.
	const invalid = el => {
		for (let e = el; e instanceof Element; e = parentOf(e)) if ((e === el || ['form', 'fieldset'].includes(nameOf(e))) && !(marks.get(e) || []).includes('invalid')) mark(e, 'invalid');
	};
	const RING = '[data-candor-mark~="focus-visible"]{outline:-webkit-focus-ring-color auto 1px}';
	const MEDIA = 'video::-webkit-media-controls,audio::-webkit-media-controls{display:none!important}';
	const STILL = ':not([data-candor-mark~="timeline"])', HELD = '*' + STILL + ',' + STILL + '::before,' + STILL + '::after{animation:none!important}*,::before,::after{transition:none!important}';

	// Slots that scripts have filled by hand are filled by name.
	let named = 0;
	const slotted = new Map(); // text -> name of its slot
	const slots = (r, host) => {
		const seen = new Set();
		for (const s of all(r, 'slot')) {
			const name = 'candor-' + ++named;
			instead.set(s, {name});
			for (const n of s.assignedNodes()) {
				seen.add(n);
				if (typeOf(n) === 1) instead.set(n, {slot: name}); else slotted.set(n, name);
			}
		}
		for (const n of nodesOf(host)) {
			if (seen.has(n)) continue;
			if (typeOf(n) === 1) instead.set(n, {slot: 'candor-none'}); else slotted.set(n, 'candor-none');
		}
	};

	// Animations are held where they are. Those that follow scrolling stay, for
	// they are there where the scrolling is.
	let animated = 0;
	const held = new Set();
	const kebab = p => p.startsWith('--') ? p : p === 'cssFloat' ? 'float' : p === 'cssOffset' ? 'offset' : p.replace(/[A-Z]/g, c => '-' + c.toLowerCase()).replace(/^webkit-/, '-webkit-');
	const animations = r => {
		let rules = '', any = false;
		for (const a of (r === document ? Document : ShadowRoot).prototype.getAnimations.call(r)) {
			const e = a.effect, el = e && e.target;
			if (!el || !el.isConnected || held.has(a)) continue;
			held.add(a);
			if (a.timeline && !(a.timeline instanceof DocumentTimeline)) { mark(el, 'timeline'); continue; }
			any = true;
			const c = getComputedStyle(el, e.pseudoElement || null), names = new Set();
			for (const k of e.getKeyframes()) for (const p of Object.keys(k)) if (!['offset', 'computedOffset', 'easing', 'composite'].includes(p)) names.add(kebab(p));
			let css = '';
			for (const p of names) { const v = c.getPropertyValue(p); if (v) css += p + ':' + v + '!important;'; }
			if (a.playState !== 'finished' && /(^|;)(transform|opacity|filter|backdrop-filter|translate|rotate|scale|perspective|clip-path|offset-distance|offset-path):/.test(css)) css += 'will-change:' + [...names].join(',') + '!important;';
			// What has been moved and turned is drawn more finely once it rests.
			if (a.playState === 'finished' && r === document && c.transform !== 'none' && !/^matrix\(1, 0, 0, 1,/.test(c.transform)) { const b = rectOf(el); over([b.left - 1, b.top - 1, b.right + 1, b.bottom + 1]); }
			if (e.pseudoElement) {
				const n = 'animated-' + ++animated;
				mark(el, n);
				rules += '[data-candor-mark~="' + n + '"]' + e.pseudoElement + '{' + css + '}';
			} else style(el, css);
		}
		return any && r !== document ? HELD + rules : rules;
	};

	// What SVG's own animations have come to is written into the attributes.
	const motion = () => {
		const at = new Map();
		for (const a of all(document, 'animate,animateTransform,animateMotion,set')) {
			if (!(a instanceof SVGElement)) continue;
			const el = a.targetElement, n = valueOf(a, 'attributeName');
			if (!el || !el.isConnected) continue;
			const list = at.get(el) || {};
			at.set(el, list);
			try {
				if (nameOf(a) === 'animateTransform' || nameOf(a) === 'animateMotion') {
					const p = parentOf(el), m = el.getCTM && p.getCTM ? p.getScreenCTM().inverse().multiply(el.getScreenCTM()) : null;
					if (m) list.transform = 'matrix(' + [m.a, m.b, m.c, m.d, m.e, m.f].join(' ') + ')';
					continue;
				}
				const v = n && n !== 'href' && n !== 'xlink:href' && el[n] && el[n].animVal;
				if (n === 'class') list.class = el.className.animVal;
				else if (v !== undefined && v !== null && v !== false && typeof v !== 'object') list[n] = String(v);
				else if (v && 'valueAsString' in v) list[n] = v.valueAsString;
				else if (v && 'x' in v && 'width' in v) list[n] = [v.x, v.y, v.width, v.height].join(' ');
				else if (n === 'points') list[n] = [...el.animatedPoints].map(p => p.x + ',' + p.y).join(' ');
				else if (n && CSS.supports(n, 'inherit')) { const c = getComputedStyle(el).getPropertyValue(n); if (c) style(el, n + ':' + c + '!important;'); }
			} catch {} // a value that has no words keeps its base
		}
		for (const [el, list] of at) instead.set(el, Object.assign(list, instead.get(el)));
	};

	// A box that is scrolled is brought there by snapping to one of its children:
	// the only way without a script.
	const wrapped = new Map(); // element -> declarations of a block round all it holds
	const scrolled = (el, top, left) => {
		const view = el === root, c = getComputedStyle(el);
		const axis = top && left ? 'both' : top ? 'y' : 'x';
		style(el, 'scroll-snap-type:' + axis + ' mandatory!important;scroll-padding:0!important;overflow-anchor:none!important;scroll-behavior:auto!important;');
		mark(el, 'scrolled');
		const align = 'scroll-snap-align:' + (c.direction === 'rtl' ? 'start end' : 'start') + '!important;';
		const b = rectOf(el), x = view ? 0 : b.left + el.clientLeft, y = view ? 0 : b.top + el.clientTop;
		const child = [...elementsOf(el)].find(e => {
			const d = getComputedStyle(e);
			return !['none', 'contents', 'inline'].includes(d.display) && !['fixed', 'sticky'].includes(d.position) && !(view && nameOf(e) === 'head');
		});
		if (child) {
			const r = rectOf(child);
			style(child, align + 'scroll-margin:' + (r.top - y) + 'px 0 0 ' + (r.left - x) + 'px!important;');
		} else if (c.display === 'block' || c.display === 'inline-block') {
			wrapped.set(el, 'display:block;' + align + 'scroll-margin:' + (parseFloat(c.paddingTop) - top) + 'px 0 0 ' + (parseFloat(c.paddingLeft) - left) + 'px');
		}
	};

	// What lies in the top layer is put above everything where it was, or, where
	// something round it would cut or move it, pictured at the end of the body.
	const heights = new Map();
	const topLayer = () => {
		const list = [...marks].filter(([, m]) => m.includes('modal') || m.includes('popover-open') || m.includes('fullscreen')).map(([el]) => el);
		list.sort((a, b) => layers.indexOf(a) - layers.indexOf(b)); // those not known keep the order of the tree
		list.forEach((el, i) => heights.set(el, 2147483647 - 2 * (list.length - 1 - i)));
	};
	const confined = el => {
		for (let p = parentOf(el); p && p !== root && p !== bodyOf(document); p = p instanceof ShadowRoot ? p.host : p.assignedSlot || parentOf(p)) {
			if (!(p instanceof Element)) continue;
			const c = getComputedStyle(p);
			if (c.transform !== 'none' || c.filter !== 'none' || c.backdropFilter !== 'none' || c.perspective !== 'none' || c.opacity !== '1' || c.isolation === 'isolate' || c.mixBlendMode !== 'normal' || c.translate !== 'none' || c.rotate !== 'none' || c.scale !== 'none' ||
				c.clipPath !== 'none' || c.maskImage !== 'none' || c.visibility !== 'visible' || c.containerType !== 'normal' || /paint|layout|strict|content/.test(c.contain) || /transform|filter|opacity|perspective/.test(c.willChange) || c.zIndex !== 'auto' || c.position === 'fixed' || c.position === 'sticky') return true;
		}
		return false;
	};
	const BACKDROP = 'position inset-block-start inset-block-end inset-inline-start inset-inline-end width height background-color background-image background-position background-size background-repeat background-origin background-clip background-attachment opacity backdrop-filter filter transform mix-blend-mode clip-path border-radius'.split(' ');
	const raised = el => {
		const c = getComputedStyle(el), r = rectOf(el), z = heights.get(el) || 2147483647;
		const b = getComputedStyle(el, '::backdrop');
		if (b.display !== 'none' && (b.backgroundColor !== 'rgba(0, 0, 0, 0)' || b.backgroundImage !== 'none' || b.backdropFilter !== 'none')) {
			let css = 'display:block;pointer-events:none;z-index:' + (z - 1) + ';';
			for (const p of BACKDROP) { const v = b.getPropertyValue(p); if (v && v !== 'none' && v !== 'normal') css += p + ':' + v + ';'; }
			end.push('<div data-candor-backdrop' + attribute('style', styleParts(css)) + '></div>');
		}
		if (!r.width && !r.height) return;
		if (confined(el)) {
			style(el, 'display:' + c.display + '!important;clip-path:inset(50%)!important;');
			const m = c.boxShadow !== 'none' || c.outlineStyle !== 'none' || c.filter !== 'none' ? 80 : 0; // what it paints round itself
			over([Math.max(0, r.left - m), Math.max(0, r.top - m), Math.min(innerWidth, r.right + m), Math.min(innerHeight, r.bottom + m)], z);
			return;
		}
		style(el, 'display:' + c.display + '!important;position:fixed!important;position-area:none!important;inset:auto!important;left:' + px(r.left) + '!important;top:' + px(r.top) + '!important;width:' + c.width + '!important;height:' + c.height +
			'!important;max-width:none!important;max-height:none!important;min-width:0!important;min-height:0!important;margin:0!important;overflow:' + c.overflow + '!important;transform:none!important;translate:none!important;z-index:' + z + '!important;' +
			(c.opacity !== '1' ? 'opacity:' + c.opacity + '!important;' : ''));
	};

	// over lays a crop of the picture over a part of the window. Where the window
	// has another width than it had, it would lie in the wrong place.
	let overlaid = false;
	const over = (r, z) => {
		const x = Math.floor(r[0]), y = Math.floor(r[1]), w = Math.ceil(r[2]) - x, h = Math.ceil(r[3]) - y;
		if (w <= 0 || h <= 0) return;
		overlaid = true;
		const at = z ? 'position:fixed;left:' + x + 'px;top:' + y + 'px;z-index:' + z : 'position:absolute;left:' + (x - origin()[0]) + 'px;top:' + (y - origin()[1]) + 'px;z-index:2147483000';
		end.push('<div data-candor-over' + attribute('style', at + ';pointer-events:none;margin:0;width:' + w + 'px;height:' + h + 'px;background:url(' +
			part({k: 'crop', box: [x + (opts.top ? scrollX : 0) + opts.x, y + (opts.top ? scrollY : 0) + opts.y, w, h]}) + ') 0 0/100% 100% no-repeat') + '></div>');
	};
	const origin = () => { // of what is placed absolutely at the end of the body
		for (const e of [bodyOf(document), root]) {
			const c = e && getComputedStyle(e);
			if (c && (c.position !== 'static' || c.transform !== 'none' || c.filter !== 'none' || c.perspective !== 'none' || /paint|layout|strict|content/.test(c.contain))) {
				const r = rectOf(e);
				return [r.left + e.clientLeft, r.top + e.clientTop];
			}
		}
		return [-scrollX, -scrollY];
	};

	// Highlights and the selection are crops over the text. Elements round parts
	// of it would be seen by selectors and break what is shaped together.
	const ranges = range => { for (const r of range.getClientRects()) if (r.width > 0 && r.height > 0) over([r.left - 2, r.top - 4, r.right + 2, r.bottom + 4]); };
	const highlights = () => {
		if (typeof CSS.highlights === 'object') for (const [, h] of CSS.highlights) for (const r of h) {
			if (r instanceof Range) { ranges(r); continue; }
			try {
				const range = new Range();
				range.setStart(r.startContainer, r.startOffset);
				range.setEnd(r.endContainer, r.endOffset);
				ranges(range);
			} catch {} // its nodes have changed
		}
		const s = getSelection();
		if (s && s.type === 'Range' && !s.isCollapsed) ranges(s.getRangeAt(0));
	};
	const otherwise = () => overlaid ? '@media not all and (width:' + innerWidth + 'px){[data-candor-over]{display:none!important}}' : '';
