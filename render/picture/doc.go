// Package picture reads, writes, joins and compares PNG pictures row by row.
//
// Pictures of whole pages are too tall to hold: 1280 by 200,000 pixels are a
// gigabyte. Nothing here keeps more than a few rows, whatever the picture's
// height. Only what a browser's screenshots are made of is read: 8 bits, RGB or
// RGBA, not interlaced. The pictures are opaque, so alpha is passed over.
package picture
