// Package housetest holds tests about the tree itself: which package may import
// which, what lies at the top level, that no file names the machine it was
// written on, and that documents, Makefile, Dockerfile and docker-compose.yml
// speak only of files, targets, commands and settings that exist.
//
// It has no code of its own; its command testrun runs the whole suite.
package housetest
