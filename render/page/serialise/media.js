
	const sized = (el, r) => {
		const c = getComputedStyle(el);
		style(el, (c.display === 'inline' ? 'display:inline-block!important;' : '') + 'box-sizing:content-box!important;width:' + px(r[2]) + '!important;height:' + px(r[3]) + '!important;');
	};
	// A picture of the content is laid over what the element has for a background.
	const lay = (el, src, size, position) => {
		const c = getComputedStyle(el), n = c.backgroundImage.split(/,(?![^(]*(?:\([^()]*\)[^()]*)*\))/).length;
		style(el, 'background-image:url(' + src + '),' + c.backgroundImage + '!important;');
		for (const [p, v] of [['backgroundSize', size], ['backgroundPosition', position], ['backgroundOrigin', 'content-box'], ['backgroundClip', 'content-box'], ['backgroundRepeat', 'no-repeat'], ['backgroundAttachment', 'scroll']]) {
			const list = c[p].split(/,(?![^(]*\))/);
			style(el, kebab(p) + ':' + v + ',' + Array.from({length: n}, (_, i) => list[i % list.length]).join(',') + '!important;');
		}
	};
	// A crop is cut where the picture ends, so there it is placed, not stretched.
	const cropped = (el, b) => {
		const l = Math.max(b[0], 0), t = Math.max(b[1], 0), r = Math.min(b[0] + b[2], opts.width), d = Math.min(b[1] + b[3], opts.height), c = getComputedStyle(el);
		if (r <= l || d <= t) return;
		if (c.boxShadow === 'none' && c.borderRadius !== '0px') style(el, 'border-radius:0!important;'); // the crop has the corners
		lay(el, part({k: 'crop', box: [l, t, r - l, d - t]}), r - l === b[2] && d - t === b[3] ? '100% 100%' : px(r - l) + ' ' + px(d - t), px(l - b[0]) + ' ' + px(t - b[1]));
	};
	// What lies over a crop is in it already, and would be blended in twice: then
	// the crop lies over all of it, too.
	const uncovered = (el, b) => {
		const r = rectOf(el), meets = e => { const q = rectOf(e); return q.left < r.right && q.right > r.left && q.top < r.bottom && q.bottom > r.top; };
		const lies = e => getComputedStyle(e).position !== 'static' && meets(e);
		let at = el, left = 300; // elements to look at
		for (let i = 0; i < 4 && at !== bodyOf(document) && parentOf(at) instanceof HTMLElement; at = parentOf(at), i++) for (const s of elementsOf(parentOf(at))) {
			if (s === at || left <= 0) continue;
			left--;
			let is = lies(s);
			if (!is) for (const e of Element.prototype.querySelectorAll.call(s, '*')) if (left-- <= 0 || (is = lies(e))) break;
			if (!is) continue;
			const x = opts.x + (opts.top ? scrollX : 0), y = opts.y + (opts.top ? scrollY : 0);
			over([Math.max(0, b[0]) - x, Math.max(0, b[1]) - y, Math.min(opts.width, b[0] + b[2]) - x, Math.min(opts.height, b[1] + b[3]) - y]);
			return;
		}
	};
	// Whether a crop of the picture shows the element as it would paint itself.
	const plain = el => {
		for (let p = el; p && typeOf(p) === 1; p = parentOf(p) instanceof ShadowRoot ? parentOf(p).host : parentOf(p)) {
			const c = getComputedStyle(p);
			if (c.opacity !== '1' || c.transform !== 'none' || c.filter !== 'none' || c.mixBlendMode !== 'normal' || c.rotate !== 'none' || c.scale !== 'none' || c.clipPath !== 'none') return false;
		}
		return true;
	};

	const EMPTY = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='0' height='0'/%3E";
	const image = el => {
		const skip = ['src', 'srcset', 'sizes', 'loading', 'decoding', 'usemap'], from = el.currentSrc || el.src;
		const pic = parentOf(el) instanceof HTMLPictureElement ? parentOf(el) : null, set = valueOf(el, 'srcset');
		let dims = '';
		if (pic && from) {
			const s = [...elementsOf(pic)].find(s => s instanceof HTMLSourceElement && (!s.media || matchMedia(s.media).matches) && s.srcset.split(/,\s+|\s+/).some(u => u && absolute(u.replace(/,$/, '')) === from));
			if (s) for (const d of ['width', 'height']) if (s.hasAttribute(d)) { skip.push(d); dims += attribute(d, value(valueOf(s, d))); }
		}
		const src = valueOf(el, 'src'), address = src && absolute(src);
		const orig = original('src', address && address.startsWith('data:') ? '' : address) + original('srcset', set && set.length < 4000 ? set : '');
		if (!from) return '<img' + attributes(el, skip) + orig + dims + '>';
		if (!el.complete) {
			sized(el, inner(el));
			return '<img' + attributes(el, skip) + orig + dims + attribute('src', EMPTY) + '>';
		}
		// One that moves by itself stands where it stood in the picture.
		if (opts.moving[bare(from)] && shown(el) && plain(el)) {
			const r = inner(el);
			if (r[0] >= 0 && r[1] >= 0 && r[0] + r[2] <= opts.width && r[1] + r[3] <= opts.height) {
				sized(el, r);
				style(el, 'object-fit:fill!important;object-position:0 0!important;');
				return '<img' + attributes(el, skip) + orig + dims + attribute('src', part({k: 'crop', box: r})) + '>';
			}
		}
		return '<img' + attributes(el, skip) + orig + dims + part({k: 'img', url: from, w: el.naturalWidth, h: el.naturalHeight, box: inner(el), dense: !!(set || pic)}) + '>';
	};

	const media = (el, tag) => {
		if (shown(el)) {
			const r = inner(el);
			sized(el, r);
			cropped(el, r);
			uncovered(el, r);
		} else style(el, 'display:none!important;');
		return '<' + tag + attributes(el, ['src', 'poster', 'loop', 'preload', 'muted', tag === 'video' ? 'controls' : '']) + original('src', el.currentSrc) + original('poster', el.poster) + '>' + children(el, 0) + '</' + tag + '>';
	};

	const canvas = el => {
		if (shown(el)) {
			const r = inner(el), exact = Math.abs(el.width - r[2] * devicePixelRatio) < 0.5 && Math.abs(el.height - r[3] * devicePixelRatio) < 0.5;
			let src = '';
			if (exact || !plain(el)) try { if (el.width && el.height && el.getContext('2d')) src = el.toDataURL('image/png'); } catch {} // tainted: the crop stands for it
			sized(el, r);
			if (src) {
				lay(el, src, '100% 100%', '0px 0px');
			} else {
				cropped(el, r);
				uncovered(el, r);
			}
		}
		return '<canvas' + attributes(el) + '></canvas>';
	};

	// One document of a frame goes into the frame, as an address or as srcdoc,
	// as the assembler finds fit.
	const frame = (el, tag) => {
		const skip = ['src', 'loading', 'name', 'data', 'type', 'srcdoc'];
		const orig = original('src', el.src || el.data), close = tag === 'iframe' ? '></iframe>' : tag === 'object' ? '></object>' : '>';
		if (!shown(el)) return '<' + tag + attributes(el, skip) + orig + close;
		const i = frames.has(el) ? frames.get(el) : -1;
		return '<' + tag + attributes(el, skip) + orig + part({k: 'frame', i, box: inner(el), tag}) + close;
	};

	const plugin = (el, tag, name) => {
		const url = el[name], fallback = tag === 'object' && [...elementsOf(el)].some(shown);
		const skip = [name, 'type', 'classid', 'codebase', 'usemap'];
		if (frames.has(el) && !fallback && !opts.pictures[bare(url)]) return frame(el, tag);
		let src = '';
		if (url && shown(el) && !fallback) {
			const r = inner(el);
			style(el, 'width:' + px(r[2]) + '!important;height:' + px(r[3]) + '!important;box-sizing:content-box!important;');
			src = attribute(name, part({k: 'picture', url, box: r}));
		}
		return '<' + tag + attributes(el, skip) + original('src', url) + src + '>' + (tag === 'embed' ? '' : children(el, 0) + '</object>');
	};

	let symbols = 0;
	const use = el => {
		const href = valueOf(el, 'href') || el.getAttributeNS(XLINK, 'href') || '', url = absolute(href), skip = ['href', 'xlink:href', 'src'];
		let ref = href, defs = '';
		if (href && !href.startsWith('#')) {
			ref = '';
			let id = url.split('#')[1] || '';
			try { id = decodeURIComponent(id); } catch {} // as it is written, then
			if (bare(url) === here) ref = '#' + id;
			else if (opts.sources[bare(url)] !== undefined) {
				const drawing = drawings.get(bare(url)) || new DOMParser().parseFromString(opts.sources[bare(url)], 'image/svg+xml');
				drawings.set(bare(url), drawing);
				const found = drawing.getElementById(id);
				if (found) {
					ref = '#candor-symbol-' + ++symbols;
					const copy = found.cloneNode(true);
					copy.id = ref.slice(1);
					// What it refers to in its own file comes along under names of its own.
					let out = svgNode(copy);
					const refs = new Set();
					for (const e of [copy, ...copy.querySelectorAll('*')]) for (const a of attributesOf(e)) for (const m of a.value.matchAll(/(?:url\(\s*["']?|^)#([^"')\s]+)/g)) refs.add(m[1]);
					for (const r of refs) {
						const def = r !== id && !copy.querySelector('[id="' + CSS.escape(r) + '"]') && drawing.getElementById(r);
						if (def) out += svgNode(def);
					}
					defs = '<defs>' + out + '</defs>';
				}
			}
		}
		return defs + '<use' + attributes(el, skip) + original('href', url) + (ref ? attribute('href', value(ref)) : '') + '>' + foreigners(el) + '</use>';
	};
	const drawings = new Map();
	const svgNode = n => namespaceOf(n) === SVG ? foreign(n, 0, true) : '';
