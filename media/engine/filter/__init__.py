"""What a SIP message must be before the library sees it: checked, mended or refused."""
