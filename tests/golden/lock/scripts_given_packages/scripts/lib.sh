add() {
  for package in "$@"; do
    apt-get install -y "$package"
  done
}
