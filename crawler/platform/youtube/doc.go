// Package youtube reads a channel through the YouTube Data API, version 3: who
// it is, its uploads, the comments and replies below them, and single videos
// and comments by id. It turns answers into sightings and classifies refusals;
// it remembers nothing beyond one poll and concludes nothing about deletion.
//
// The credential is an API key, with which the public's view is read, or an
// OAuth access token of the channel's owner, with which private videos and the
// comments that wait for review or were set aside as spam are read, too.
//
// Every call costs one unit of an allowance of 10,000 a day, a refused one as
// well. The parts that are asked for cost nothing, so there is no reason to ask
// for less than a record needs.
//
// Not solved here: posts of the Community tab, which no API gives; the chat of
// live broadcasts; captions, each list of which costs 50 units; and the bytes
// of videos. Discovery document: https://youtube.googleapis.com/$discovery/rest?version=v3
package youtube
