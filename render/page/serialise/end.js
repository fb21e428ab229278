
	// The policy only counts as the first thing in the head, wherever scripts
	// have put the head, and if they have left one at all.
	const head = el => {
		let out = '';
		if (el) for (const n of nodesOf(el)) {
			const type = typeOf(n);
			if (type === 1 && namespaceOf(n) === HTML && METADATA.has(nameOf(n)) || type === 8 || type === 3 && !/\S/.test(n.data)) out += node(n, 0);
		}
		return '<head' + (el ? attributes(el) : '') + '>' + part({k: 'head'}) + out + part({k: 'styles'}) + '</head>';
	};
	// What stands beside the body gets into it, and is moved back to where it was.
	const beside = (el, b, behind) => {
		const c = getComputedStyle(el), d = getComputedStyle(b), n = p => parseFloat(d[p]) || 0;
		if (c.position !== 'static' || c.display === 'none' || c.display === 'inline' || c.float !== 'none') return;
		const left = n('marginLeft') + n('borderLeftWidth') + n('paddingLeft'), top = behind ? n('marginBottom') + n('borderBottomWidth') + n('paddingBottom') : -n('marginTop') - n('borderTopWidth') - n('paddingTop');
		style(el, 'position:relative!important;left:' + px(-left) + '!important;top:' + px(top) + '!important;width:' + c.width + '!important;');
	};
	const page = el => {
		const list = [...elementsOf(el)], is = t => c => namespaceOf(c) === HTML && t.includes(nameOf(c));
		const h = list.find(is(['head'])), b = list.find(is(['body', 'frameset']));
		const attrs = attributes(el), first = head(h);
		let seen = !b;
		for (const n of nodesOf(el)) {
			if (n === h || typeOf(n) === 3 && !/\S/.test(n.data) || typeOf(n) === 8) continue;
			if (n !== b && b && typeOf(n) === 1 && namespaceOf(n) === HTML) beside(n, b, seen);
			if (n === b) seen = true; else if (seen) after += node(n, 0); else before += node(n, 0);
		}
		return '<html' + attrs + '>' + first + (b ? element(b, BODY) : '<body style="display:contents">' + before + after + part({k: 'end'}) + '</body>') + '</html>';
	};

	const doctype = () => {
		const dt = doctypeOf(document);
		if (!dt || !dt.publicId || contentTypeOf(document) !== 'text/html') return quirks ? '' : '<!DOCTYPE html>';
		return '<!DOCTYPE ' + (NAME.test(dt.name) ? dt.name : 'html') + ' PUBLIC "' + dt.publicId.replace(/[">\0]/g, '') + '"' + (dt.systemId ? ' "' + dt.systemId.replace(/[">\0]/g, '') + '"' : '') + '>';
	};
	const limited = () => {
		const dt = doctypeOf(document);
		return !!dt && !quirks && /^-\/\/W3C\/\/DTD (XHTML 1\.0|HTML 4\.01) (Frameset|Transitional)\/\//i.test(dt.publicId);
	};

	const kind = root ? namespaceOf(root) : '';
	// What is neither a page nor a drawing, whatever the browser made of it, is
	// shown by its picture, with its words.
	const type = contentTypeOf(document), readable = ['text/html', 'text/plain', 'application/xhtml+xml', 'text/xml', 'application/xml'].includes(type);
	if (kind === HTML && !readable) return {picture: true, parts, html: '', url: location.href, title: titleOf(document), words: bodyOf(document) ? bodyOf(document).innerText.slice(0, 1000000) : ''};
	if (kind !== HTML && !(kind === SVG && nameOf(root) === 'svg')) return {picture: true, parts, html: '', url: location.href, title: titleOf(document), words: root ? contentOf(root).slice(0, 1000000) : ''};

	const inBody = Document.prototype.querySelector.call(document, 'body style, body link[rel~=stylesheet]');
	motion();
	highlights();
	let rules = prepare(document);
	if (root && (scrollX || scrollY)) scrolled(root, scrollY, scrollX);

	let html;
	if (kind === SVG) {
		const r = rectOf(root);
		style(root, 'display:block!important;width:' + px(r.width) + '!important;height:' + px(r.height) + '!important;');
		html = '<!DOCTYPE html><html><head>' + part({k: 'head'}) + '<title>' + text(titleOf(document) || location.href) + '</title>' + instructions() + part({k: 'styles'}) + '</head><body style="margin:0">' + foreign(root, 0) + part({k: 'end'}) + '</body></html>';
	} else html = doctype() + (nameOf(root) === 'html' ? element(root, 0) : '<html><head>' + part({k: 'head'}) + part({k: 'styles'}) + '</head><body>' + element(root, 0) + part({k: 'end'}) + '</body></html>');

	const late = instructions() + adopted(document);
	// The first of all layers: what it says gives way to the page, and what it
	// says is important to nobody.
	rules = '@layer candor{' + RING + HELD + '*{caret-color:transparent!important}' + MEDIA +
		'[data-candor-mark~="scrolled"] *{scroll-snap-align:none!important}' + rules + otherwise() + '}';
	const frozen = '<style data-candor-frozen>' + part({k: 'css', text: rules, base, esc: 'style'}) + '</style>';
	for (const p of parts) {
		if (p.k === 'head') p.html = frozen;
		if (p.k === 'styles') p.html = inBody ? '' : late;
		if (p.k === 'end') p.html = (inBody ? late : '') + end.join('');
	}
	const faces = !opts.faces ? [] : [...fontsOf(document)].filter(f => f.status === 'loaded').map(f =>
		({family: f.family, style: f.style, weight: f.weight, stretch: f.stretch, range: f.unicodeRange, display: f.display, features: f.featureSettings, ascent: f.ascentOverride, descent: f.descentOverride, gap: f.lineGapOverride}));
	return {html, parts, own: quirks || limited(), marks: [...marked], asked: [...was], faces, url: location.href};
}
