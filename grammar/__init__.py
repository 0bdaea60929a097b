"""The call-script language: text in, trees and problems out."""
