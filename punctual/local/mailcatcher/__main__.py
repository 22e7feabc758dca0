from punctual.local.mailcatcher.app import main

if __name__ == "__main__":
    main()
