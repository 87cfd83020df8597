namespace oxbow {}
